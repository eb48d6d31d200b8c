using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Reads a request's <c>parameters</c>: those that the protocol knows, and the client's own.</summary>
internal static class ParametersJson
{
    private const int LongestSequenceName = 128;

    /// <summary>Reads the object that is the value of the member whose name is current.</summary>
    public static void Read(ref JsonCursor cursor, InferCall call)
    {
        cursor.Read();
        if (cursor.Token != JsonTokenType.StartObject)
        {
            throw JsonCursor.Invalid($"failed to get request params.: attempt to get members for non-object (at byte {cursor.Position})");
        }

        while (cursor.ReadMember())
        {
            ReadMember(ref cursor, call);
        }
    }

    /// <summary>Reads the parameter whose name is current.</summary>
    public static void ReadMember(ref JsonCursor cursor, InferCall call)
    {
        var name = cursor.Text16();
        cursor.Read();
        var request = call.Request;
        switch (name)
        {
            case "sequence_id":
                ReadSequence(cursor, request);
                break;
            case "sequence_start":
                request.SequenceStart = cursor.GetBool(name);
                break;
            case "sequence_end":
                request.SequenceEnd = cursor.GetBool(name);
                break;
            case "priority":
                request.Priority = cursor.GetUint64(name);
                break;
            case "timeout":
                request.TimeoutMicroseconds = cursor.GetUint64(name);
                break;
            case "binary_data_output":
                call.IsBinaryByDefault = cursor.GetBool(name);
                break;
            default:
                ReadOwn(ref cursor, request, name);
                break;
        }
    }

    private static void ReadSequence(scoped in JsonCursor cursor, InferenceRequest request)
    {
        if (cursor.Token != JsonTokenType.String)
        {
            request.SequenceId = cursor.GetUint64("sequence_id");
            return;
        }

        var name = cursor.Text16();
        request.SequenceName = name.Length <= LongestSequenceName
            ? name
            : throw new InferenceException(ErrorCode.Unsupported, $"string correlation id cannot be larger than {LongestSequenceName} characters, got {name.Length}");
    }

    private static void ReadOwn(ref JsonCursor cursor, InferenceRequest request, string name)
    {
        if (name.StartsWith("triton_", StringComparison.Ordinal))
        {
            throw JsonCursor.Invalid($"parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified. Got '{name}'");
        }

        ParameterValue value = cursor.Token switch
        {
            JsonTokenType.True or JsonTokenType.False => cursor.Token == JsonTokenType.True,
            JsonTokenType.String => cursor.Text16(),
            JsonTokenType.Number when cursor.TryGetInt64(out var whole) => whole,
            JsonTokenType.Number when cursor.TryGetUint64(out var positive) => positive,
            JsonTokenType.Number => cursor.GetDouble(),
            _ => throw JsonCursor.Invalid($"parameter '{name}' has invalid type. It should be either 'int', 'bool', 'double', or 'string' (at byte {cursor.Position})"),
        };
        (request.Parameters ??= []).TryAdd(name, value);
    }
}
