using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Runtime.Host.Grpc;
using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.Telemetry;

/// <summary>The attributes of servers' spans: OpenTelemetry's semantic conventions for HTTP and RPC, and what they have no name for under <c>runtime.</c> and <c>nvcf.</c></summary>
internal static class SpanTags
{
    public static void Begin(Activity span, HttpContext context, string route)
    {
        var path = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        span.SetTag("http.request.method", context.Request.Method)
            .SetTag("http.route", route)
            .SetTag("url.path", RoutePatterns.PathOf(path).ToString())
            .SetTag("url.scheme", "http")
            .SetTag("network.protocol.version", "1.1");
        Server(span, context);
    }

    public static void Begin(Activity span, HttpContext context, GrpcMethod method)
    {
        span.SetTag("rpc.system", "grpc").SetTag("rpc.service", method.Service).SetTag("rpc.method", method.Name);
        Server(span, context);
    }

    public static void End(Activity span, RequestRecord record)
    {
        var isHttp = record.Protocol == "http";
        span.SetTag(isHttp ? "http.response.status_code" : "rpc.grpc.status_code", record.Status);
        Set(span, isHttp ? "http.request.body.size" : "rpc.request.size", record.BytesIn);
        Set(span, isHttp ? "http.response.body.size" : "rpc.response.size", record.BytesOut);
        Set(span, ModelTracing.ModelTag, record.Model);
        Set(span, ModelTracing.VersionTag, record.Version);
        Platform(span, record);
        var isFault = isHttp ? record.Status >= 500 : IsFault((GrpcStatusCode)record.Status);
        if (isFault)
        {
            span.SetStatus(ActivityStatusCode.Error, record.Error);
        }

        if (isFault || record.Error is not null)
        {
            span.SetTag(ModelTracing.ErrorTag, record.Code?.ToString() ?? record.Status.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The codes that the conventions call errors of a server.</summary>
    private static bool IsFault(GrpcStatusCode code) => code is GrpcStatusCode.Unknown or GrpcStatusCode.DeadlineExceeded or GrpcStatusCode.Unimplemented
        or GrpcStatusCode.Internal or GrpcStatusCode.Unavailable;

    private static void Server(Activity span, HttpContext context)
    {
        span.SetTag("server.address", context.Request.Host.Host).SetTag("server.port", context.Connection.LocalPort);
        Set(span, "user_agent.original", context.Request.Headers.UserAgent.ToString());
    }

    private static void Platform(Activity span, RequestRecord record)
    {
        foreach (var field in record)
        {
            if (field.Key.StartsWith("nvcf_", StringComparison.Ordinal))
            {
                span.SetTag("nvcf." + field.Key["nvcf_".Length..], field.Value);
            }
        }
    }

    private static void Set(Activity span, string name, string value)
    {
        if (value.Length > 0)
        {
            span.SetTag(name, value);
        }
    }

    private static void Set(Activity span, string name, long value)
    {
        if (value > 0)
        {
            span.SetTag(name, value);
        }
    }
}
