using System.Collections.Frozen;
using Google.Protobuf;
using Microsoft.AspNetCore.Connections;
using Runtime.Host.Http;
using Runtime.Host.Telemetry;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>
/// The gRPC port's terminal handler: finds the method, reads the call's headers, runs it, and ends every call with a
/// status in the trailers, or in the headers if nothing was sent before.
/// </summary>
internal sealed class GrpcServer
{
    /// <summary>A later deadline than timers can tell is none.</summary>
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(49);

    private readonly FrozenDictionary<string, GrpcMethod> _methods;
    private readonly FrozenSet<string> _services;
    private readonly GrpcSettings _settings;
    private readonly RestrictedApi _restricted;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public GrpcServer(IEnumerable<GrpcMethod> methods, GrpcSettings settings, TimeProvider time, ILogger logger)
    {
        _methods = methods.ToFrozenDictionary(method => method.Path, StringComparer.Ordinal);
        _services = _methods.Values.Select(method => method.Service).ToFrozenSet(StringComparer.Ordinal);
        _restricted = settings.Restricted;
        (_settings, _time, _logger) = (settings, time, logger);
    }

    public async Task HandleAsync(HttpContext context)
    {
        var refusal = Refusal(context.Request);
        if (refusal != 0)
        {
            context.Response.StatusCode = refusal;
            return;
        }

        context.Response.ContentType = GrpcHeaders.ContentType;
        if (_settings.Observer.IsActive && _methods.TryGetValue(context.Request.Path.Value ?? "", out var method) && method.IsInference)
        {
            await ObserveAsync(context, method);
            return;
        }

        End(context.Response, await AnswerAsync(context, null));
    }

    private async Task ObserveAsync(HttpContext context, GrpcMethod method)
    {
        var record = RequestObserver.BeginCall(context, method);
        var status = GrpcStatus.Internal("The call failed inside the server.");
        try
        {
            status = await AnswerAsync(context, record);
            End(context.Response, status);
        }
        finally
        {
            GrpcRecord.End(record, context, status, (_settings.Observer, method));
        }
    }

    private async ValueTask<GrpcStatus> AnswerAsync(HttpContext context, RequestRecord? record)
    {
        if (TryStart(context, out var call, out var method) is { } early)
        {
            return early;
        }

        using (call)
        {
            call!.Record = record;
            var status = await RunAsync(method!, call);
            record?.BytesOut = call.Writer.BytesWritten;
            return status;
        }
    }

    /// <summary>The HTTP status of a request that is no gRPC at all; 0 for one that is.</summary>
    private static int Refusal(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var isGrpc = type.StartsWith(GrpcHeaders.ContentType, StringComparison.OrdinalIgnoreCase)
            && (type.Length == GrpcHeaders.ContentType.Length || type[GrpcHeaders.ContentType.Length] == ';'
                || type.AsSpan(GrpcHeaders.ContentType.Length).Equals("+proto", StringComparison.OrdinalIgnoreCase)
                || type.AsSpan(GrpcHeaders.ContentType.Length).StartsWith("+proto;", StringComparison.OrdinalIgnoreCase));
        if (!HttpMethods.IsPost(request.Method))
        {
            return StatusCodes.Status405MethodNotAllowed;
        }

        return isGrpc ? 0 : StatusCodes.Status415UnsupportedMediaType;
    }

    /// <summary>Makes the call, or says why it ends before it begins.</summary>
    private GrpcStatus? TryStart(HttpContext context, out GrpcCall? call, out GrpcMethod? method)
    {
        call = null;
        var path = context.Request.Path.Value ?? "";
        if (!_methods.TryGetValue(path, out method))
        {
            return Unknown(path);
        }

        string? Header(string name) => context.Request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;
        if (method.Group is { } group && !_restricted.IsAllowed(group, Header, out var expected))
        {
            return new GrpcStatus(GrpcStatusCode.Unavailable, $"This protocol is restricted, expecting header '{expected}'");
        }

        if (!MessageCompression.TryParse(Header(GrpcHeaders.Encoding), out var encoding))
        {
            context.Response.Headers[GrpcHeaders.AcceptEncoding] = MessageCompression.Accepted;
            return GrpcStatus.Unimplemented($"Unsupported grpc-encoding '{Header(GrpcHeaders.Encoding)}'; supported are {MessageCompression.Accepted}.");
        }

        TimeSpan? timeout = null;
        if (Header(GrpcHeaders.Timeout) is { } text)
        {
            if (!GrpcTimeout.TryParse(text, out var parsed))
            {
                return GrpcStatus.Internal($"Malformed grpc-timeout '{text}'.");
            }

            timeout = parsed < LongestTimeout ? parsed : null;
        }

        call = new GrpcCall(context, encoding, _settings, timeout, _time);
        return null;
    }

    private GrpcStatus Unknown(string path)
    {
        var slash = path.IndexOf('/', Math.Min(1, path.Length));
        var service = slash < 0 ? path.TrimStart('/') : path[1..slash];
        return GrpcStatus.Unimplemented(_services.Contains(service)
            ? $"Service '{service}' has no method '{path[(slash + 1)..]}'."
            : $"Service '{service}' is not implemented.");
    }

    private async ValueTask<GrpcStatus> RunAsync(GrpcMethod method, GrpcCall call)
    {
        try
        {
            var status = await method.InvokeAsync(call);
            return status.Code == GrpcStatusCode.Cancelled ? Ended(call) ?? status : status;
        }
        catch (GrpcException exception)
        {
            return exception.Status;
        }
        catch (InferenceException exception)
        {
            call.Record?.Fail(exception.Error);
            return GrpcErrors.Status(exception.Error);
        }
        catch (InvalidProtocolBufferException exception)
        {
            return GrpcStatus.Internal($"failed to parse the request message: {exception.Message}");
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ConnectionAbortedException)
        {
            return Ended(call) ?? new GrpcStatus(GrpcStatusCode.Cancelled, "The call was cancelled.");
        }
        catch (Exception exception)
        {
            _logger.LogError(exception, "{Path} failed", method.Path);
            return GrpcStatus.Internal("The call failed inside the server; its log says why.");
        }
    }

    private static GrpcStatus? Ended(GrpcCall call) => call.IsDeadlineExceeded
        ? new GrpcStatus(GrpcStatusCode.DeadlineExceeded, "Deadline Exceeded")
        : null;

    private static void End(HttpResponse response, GrpcStatus status)
    {
        if (response.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var code = ((int)status.Code).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (response.HasStarted || status.Code == GrpcStatusCode.Ok)
        {
            response.AppendTrailer(GrpcHeaders.Status, code);
            if (status.Message.Length > 0)
            {
                response.AppendTrailer(GrpcHeaders.Message, StatusMessage.Encode(status.Message));
            }

            return;
        }

        response.Headers[GrpcHeaders.Status] = code;
        response.Headers[GrpcHeaders.Message] = StatusMessage.Encode(status.Message);
    }
}
