namespace Runtime.Inference;

/// <summary>Why a request failed, in Triton's vocabulary and two codes more; each protocol's door maps the codes to its own.</summary>
public enum ErrorCode
{
    Unknown,
    Internal,
    NotFound,
    InvalidArgument,
    Unavailable,
    Unsupported,
    AlreadyExists,
    Cancelled,

    /// <summary>A limit on what may be in progress is reached; later the same request may be served.</summary>
    ResourceExhausted,

    /// <summary>The time that the host or the model gives a request is over.</summary>
    DeadlineExceeded,
}

/// <summary>A request's failure as a value: a code, and a message that names the model, the input, what was expected and what came.</summary>
public sealed record InferenceError(ErrorCode Code, string Message)
{
    /// <summary>Whether it will not go away, as with a lost device: every execution would fail, and only a new process helps.</summary>
    public bool IsPermanent { get; init; }

    /// <summary>Every fault of a request one by one, where they are known; null where the message is all.</summary>
    public IReadOnlyList<ErrorDetail>? Details { get; init; }

    public static InferenceError InvalidArgument(string message) => new(ErrorCode.InvalidArgument, message);

    public static InferenceError NotFound(string message) => new(ErrorCode.NotFound, message);

    public static InferenceError Unavailable(string message) => new(ErrorCode.Unavailable, message);

    public static InferenceError Unsupported(string message) => new(ErrorCode.Unsupported, message);

    /// <summary>The same error, naming the model if its message does not yet: what reads a body does not know for whom.</summary>
    public InferenceError Naming(string model) => Message.Contains($"'{model}'", StringComparison.Ordinal) ? this : this with { Message = $"{Message} (model '{model}')" };

    public static InferenceError Internal(string message) => new(ErrorCode.Internal, message);
}

/// <summary>Carries an <see cref="InferenceError"/> out of a backend or a parser; the doors and the worker turn it back into the value.</summary>
public sealed class InferenceException(InferenceError error, Exception? inner = null) : Exception(error.Message, inner)
{
    public InferenceException(ErrorCode code, string message)
        : this(new InferenceError(code, message))
    {
    }

    public InferenceError Error { get; } = error;
}
