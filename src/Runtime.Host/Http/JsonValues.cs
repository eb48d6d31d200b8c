using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Reads the members of small requests; what has another type is an error in Triton's words.</summary>
internal static class JsonValues
{
    public static InferenceError? TryGetString(JsonElement value, string name, out string text)
    {
        text = "";
        if (value.ValueKind != JsonValueKind.String)
        {
            return Wrong(name, "non-string as string");
        }

        try
        {
            text = value.GetString()!;
            return null;
        }
        catch (InvalidOperationException)
        {
            return InferenceError.InvalidArgument($"Unable to parse '{name}': the string is not valid UTF-8 or UTF-16");
        }
    }

    public static InferenceError? TryGetUint64(JsonElement value, string name, out ulong number)
    {
        number = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out number) ? null : Wrong(name, "non-unsigned-integer as unsigned-integer");
    }

    public static InferenceError? TryGetBool(JsonElement value, string name, out bool flag)
    {
        flag = value.ValueKind == JsonValueKind.True;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : Wrong(name, "non-boolean as boolean");
    }

    public static InferenceError Wrong(string name, string what) => InferenceError.InvalidArgument($"Unable to parse '{name}': attempt to access JSON {what}");
}
