using Runtime.Inference;

namespace Runtime.Functions;

/// <summary>A failure whose message is meant for the client; the text of any other exception goes to the host's log only.</summary>
public sealed class FunctionException : Exception
{
    /// <summary>The client's fault unless the code says otherwise.</summary>
    public FunctionException(string message, ErrorCode code = ErrorCode.InvalidArgument, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>What the protocols make a status of.</summary>
    public ErrorCode Code { get; }
}
