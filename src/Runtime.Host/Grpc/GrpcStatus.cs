namespace Runtime.Host.Grpc;

/// <summary>The status codes of gRPC, by their numbers on the wire.</summary>
internal enum GrpcStatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// <summary>How a call ends; the message is empty for <see cref="GrpcStatusCode.Ok"/>.</summary>
internal readonly record struct GrpcStatus(GrpcStatusCode Code, string Message)
{
    public static GrpcStatus Ok { get; } = new(GrpcStatusCode.Ok, "");

    public static GrpcStatus Internal(string message) => new(GrpcStatusCode.Internal, message);

    public static GrpcStatus Unimplemented(string message) => new(GrpcStatusCode.Unimplemented, message);
}

/// <summary>Carries a status out of the framing, whose readers have no other way to end a call.</summary>
internal sealed class GrpcException(GrpcStatus status, Exception? inner = null) : Exception(status.Message, inner)
{
    public GrpcStatus Status { get; } = status;
}
