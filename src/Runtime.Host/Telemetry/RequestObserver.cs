using System.Diagnostics;
using Runtime.Host.Grpc;
using Runtime.Host.Nvcf;
using Runtime.Models;

namespace Runtime.Host.Telemetry;

/// <summary>Watches inference requests from their door to their answer, for the log of requests and for traces. While neither is wanted it costs a request two looks at a field.</summary>
/// <param name="log">Where each request becomes a line; null for nowhere.</param>
internal sealed class RequestObserver(ILogger? log)
{
    /// <summary>The log's category, which is written whatever else the log's settings let through.</summary>
    public const string Category = "Runtime.Requests";

    public static RequestObserver None { get; } = new(null);

    /// <summary>Whether anybody wants to know of requests.</summary>
    public bool IsActive => log is not null || ModelTracing.Source.HasListeners();

    /// <summary>Begins a request over HTTP, under the trace that the client names.</summary>
    /// <param name="context">The request.</param>
    /// <param name="method">What is called, such as infer.</param>
    /// <param name="route">The route's pattern.</param>
    public static RequestRecord BeginHttp(HttpContext context, string method, string route)
    {
        var span = Start($"{context.Request.Method} {route}", context.Request.Headers);
        if (span is { IsAllDataRequested: true })
        {
            SpanTags.Begin(span, context, route);
        }

        return new RequestRecord("http", method) { Span = span, Platform = Platform(context), BytesIn = context.Request.ContentLength ?? 0 };
    }

    /// <summary>Begins a gRPC call, under the trace that its metadata name.</summary>
    public static RequestRecord BeginCall(HttpContext context, GrpcMethod method)
    {
        var span = Start(method.Path[1..], context.Request.Headers);
        if (span is { IsAllDataRequested: true })
        {
            SpanTags.Begin(span, context, method);
        }

        return new RequestRecord("grpc", method.Name) { Span = span, Platform = Platform(context) };
    }

    /// <summary>Begins one request of a stream; its call's span stands for all of them.</summary>
    public RequestRecord? BeginStreamed(RequestRecord? call, long bytes)
        => log is null || call is null ? null : new RequestRecord(call.Protocol, call.Method) { Span = call.Span, Platform = call.Platform, BytesIn = bytes };

    /// <summary>Ends a request, or a stream whose requests have lines of their own: its line, and its span.</summary>
    public void End(RequestRecord record, bool hasLines = false)
    {
        record.Close();
        if (record.Span is { IsAllDataRequested: true } span)
        {
            SpanTags.End(span, record);
        }

        // Before the span ends, so that the line belongs to the trace.
        if (!hasLines)
        {
            Write(record);
        }

        record.Span?.Dispose();
    }

    /// <summary>Ends one request of a stream, whose span is its call's.</summary>
    public void EndStreamed(RequestRecord record)
    {
        record.Close();
        Write(record);
    }

    private void Write(RequestRecord record) => log?.Log(LogLevel.Information, default, record, null, static (request, _) => $"{request.Method} {request.Model} {request.Status}");

    private static NvcfHeaders? Platform(HttpContext context) => NvcfHeaders.TryRead(context.Request.Headers);

    private static Activity? Start(string name, IHeaderDictionary headers)
    {
        if (Activity.Current is not null)
        {
            // A program that has the runtime inside of it has its own server's span already.
            return ModelTracing.Source.StartActivity(name);
        }

        var traceparent = headers.TraceParent;
        var parent = default(ActivityContext);
        if (traceparent.Count == 1)
        {
            ActivityContext.TryParse(traceparent, headers.TraceState.Count == 0 ? null : headers.TraceState.ToString(), isRemote: true, out parent);
        }

        return ModelTracing.Source.StartActivity(name, ActivityKind.Server, parent);
    }
}
