using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>The only place where an error code becomes a gRPC status.</summary>
internal static class GrpcErrors
{
    public static GrpcStatusCode Code(ErrorCode code) => code switch
    {
        ErrorCode.Internal => GrpcStatusCode.Internal,
        ErrorCode.NotFound => GrpcStatusCode.NotFound,
        ErrorCode.InvalidArgument => GrpcStatusCode.InvalidArgument,
        ErrorCode.Unavailable => GrpcStatusCode.Unavailable,
        ErrorCode.Unsupported => GrpcStatusCode.Unimplemented,
        ErrorCode.AlreadyExists => GrpcStatusCode.AlreadyExists,
        ErrorCode.ResourceExhausted => GrpcStatusCode.ResourceExhausted,
        ErrorCode.DeadlineExceeded => GrpcStatusCode.DeadlineExceeded,
        ErrorCode.Cancelled => GrpcStatusCode.Cancelled,
        _ => GrpcStatusCode.Unknown,
    };

    public static GrpcStatus Status(InferenceError error) => new(Code(error.Code), error.Message);
}
