using Runtime.Host.Telemetry;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>What gRPC knows of an observed call, and of the requests of an observed stream.</summary>
internal static class GrpcRecord
{
    /// <summary>Ends a call with its status.</summary>
    public static void End(RequestRecord record, HttpContext context, GrpcStatus status, (RequestObserver Observer, GrpcMethod Method) watched)
    {
        record.Status = (int)status.Code;
        record.IsClientGone = status.Code == GrpcStatusCode.Cancelled && context.RequestAborted.IsCancellationRequested;
        if (status.Code != GrpcStatusCode.Ok)
        {
            record.Fail(status.Message);
        }

        // The requests of a stream have lines of their own.
        watched.Observer.End(record, hasLines: watched.Method is ModelStreamInferMethod);
    }

    /// <summary>Ends one request of a stream, if it is observed.</summary>
    public static void EndStreamed(RequestRecord? record, GrpcCall call)
    {
        if (record is not null)
        {
            record.Status = record.Code is { } code ? (int)GrpcErrors.Status(new InferenceError(code, "")).Code : 0;
            record.IsClientGone = record.Code == ErrorCode.Cancelled && call.Context.RequestAborted.IsCancellationRequested;
            call.Settings.Observer.EndStreamed(record);
        }
    }
}
