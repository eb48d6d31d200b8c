using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>What the parameters of a request and of its outputs mean, and which kind of value each must have.</summary>
internal static class InferParameters
{
    /// <summary>Asks a stream for a last, empty response once a decoupled model has sent all of its own.</summary>
    public const string EmptyFinalResponse = "triton_enable_empty_final_response";

    /// <summary>Marks, in a stream's responses, the last one of a request.</summary>
    public const string FinalResponse = "triton_final_response";

    private const string ReservedPrefix = "triton_";

    /// <summary>Puts the known parameters into their properties and the others into <see cref="InferenceRequest.Parameters"/>.</summary>
    /// <exception cref="InferenceException">A value has another kind than the parameter wants.</exception>
    public static void Apply(InferenceRequest request, List<(string Key, ParameterValue? Value)>? parameters)
    {
        foreach (var (key, value) in parameters ?? [])
        {
            switch (key)
            {
                case "sequence_id":
                    ApplySequence(request, value);
                    break;
                case "sequence_start":
                    request.SequenceStart = Bool(key, value);
                    break;
                case "sequence_end":
                    request.SequenceEnd = Bool(key, value);
                    break;
                case "priority":
                    request.Priority = Priority(value);
                    break;
                case "timeout":
                    request.TimeoutMicroseconds = Timeout(value);
                    break;
                case EmptyFinalResponse:
                    Bool(key, value);
                    break;
                default:
                    (request.Parameters ??= [])[key] = Other(key, value);
                    break;
            }
        }
    }

    /// <summary>How many classes an output's parameters ask for; 0 for the tensor itself.</summary>
    /// <exception cref="InferenceException">It is not a number above 0.</exception>
    public static uint ClassificationCount(List<(string Key, ParameterValue? Value)>? parameters)
        => Find(parameters, "classification") is not { } parameter ? 0 : parameter.Value switch
        {
            { Kind: ParameterKind.Int64, AsInt64: > 0 } value => (uint)Math.Min(value.AsInt64, uint.MaxValue),
            { Kind: ParameterKind.Int64 } => throw Invalid("invalid value for 'classification' parameter, expected >= 0"),
            _ => throw Invalid("invalid value type for 'classification' parameter, expected int64_param"),
        };

    /// <summary>The parameter of that name; of two, the last.</summary>
    public static (string Key, ParameterValue? Value)? Find(List<(string Key, ParameterValue? Value)>? parameters, string name)
    {
        for (var i = (parameters?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (parameters![i].Key == name)
            {
                return parameters[i];
            }
        }

        return null;
    }

    private static void ApplySequence(InferenceRequest request, ParameterValue? value)
    {
        switch (value)
        {
            case { Kind: ParameterKind.Int64 } number:
                request.SequenceId = (ulong)number.AsInt64;
                break;
            case { Kind: ParameterKind.String } name:
                request.SequenceName = name.AsString;
                break;
            default:
                throw Invalid("invalid value type for 'sequence_id' parameter, expected int64_param or string_param.");
        }
    }

    private static bool Bool(string key, ParameterValue? value) => value is { Kind: ParameterKind.Bool } flag
        ? flag.AsBool
        : throw Invalid($"invalid value type for '{key}' parameter, expected bool_param.");

    private static ulong Priority(ParameterValue? value) => value switch
    {
        { Kind: ParameterKind.Int64, AsInt64: >= 0 } number => (ulong)number.AsInt64,
        { Kind: ParameterKind.Uint64 } number => number.AsUint64,
        { Kind: ParameterKind.Int64 } => throw Invalid("invalid value for 'priority', expected value >= 0."),
        _ => throw Invalid("invalid value type for 'priority' parameter, expected int64_param or uint64_param."),
    };

    private static ulong Timeout(ParameterValue? value) => value switch
    {
        { Kind: ParameterKind.Int64, AsInt64: >= 0 } number => (ulong)number.AsInt64,
        { Kind: ParameterKind.Int64 } => throw Invalid("invalid value for 'timeout', expected value >= 0."),
        _ => throw Invalid("invalid value type for 'timeout' parameter, expected int64_param."),
    };

    private static ParameterValue Other(string key, ParameterValue? value)
    {
        if (key.StartsWith(ReservedPrefix, StringComparison.Ordinal))
        {
            throw Invalid("parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.");
        }

        return value is { Kind: not ParameterKind.Uint64 } known
            ? known
            : throw Invalid($"invalid value type for '{key}' parameter, expected int64_param, bool_param, or string_param.");
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
