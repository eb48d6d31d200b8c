using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Reads an infer request's JSON. Of equal keys the first counts; unknown keys are ignored.</summary>
internal static class InferJson
{
    [Flags]
    private enum Seen
    {
        None = 0,
        Id = 1,
        Inputs = 2,
        Outputs = 4,
        Parameters = 8,
    }

    /// <summary>Fills the call; its inputs are then complete but for those that follow the JSON.</summary>
    /// <exception cref="InferenceException">The JSON is malformed or does not say what a request must say.</exception>
    public static void Read(ReadOnlySpan<byte> text, in InferContext context, InferCall call)
    {
        var cursor = new JsonCursor(text);
        try
        {
            cursor.Read();
            var seen = Seen.None;
            if (cursor.Token == JsonTokenType.StartObject)
            {
                while (cursor.ReadMember())
                {
                    seen |= ReadMember(ref cursor, context, call, seen);
                }
            }
            else
            {
                cursor.Skip();
            }

            cursor.ReadEnd();
            if (!seen.HasFlag(Seen.Inputs))
            {
                throw JsonCursor.Missing("inputs");
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw cursor.Malformed(fault);
        }
    }

    private static Seen ReadMember(ref JsonCursor cursor, in InferContext context, InferCall call, Seen seen)
    {
        if ((seen & Seen.Inputs) == 0 && cursor.Is("inputs"u8))
        {
            ReadInputs(ref cursor, context, call);
            return Seen.Inputs;
        }

        if ((seen & Seen.Outputs) == 0 && cursor.Is("outputs"u8))
        {
            ReadOutputs(ref cursor, context, call);
            return Seen.Outputs;
        }

        if ((seen & Seen.Parameters) == 0 && cursor.Is("parameters"u8))
        {
            ParametersJson.Read(ref cursor, call);
            return Seen.Parameters;
        }

        if ((seen & Seen.Id) == 0 && cursor.Is("id"u8))
        {
            cursor.Read();
            call.Request.Id = cursor.GetString("id");
            return Seen.Id;
        }

        cursor.Skip();
        return Seen.None;
    }

    private static void ReadInputs(ref JsonCursor cursor, in InferContext context, InferCall call)
    {
        cursor.Read();
        if (cursor.Token != JsonTokenType.StartArray)
        {
            throw cursor.Wrong("inputs", "non-array as array");
        }

        while (cursor.ReadElement())
        {
            new InputJson(context, call).Read(ref cursor);
        }
    }

    private static void ReadOutputs(ref JsonCursor cursor, in InferContext context, InferCall call)
    {
        cursor.Read();
        if (cursor.Token != JsonTokenType.StartArray)
        {
            throw cursor.Wrong("outputs", "non-array as array");
        }

        while (cursor.ReadElement())
        {
            new OutputJson(context, call).Read(ref cursor);
        }
    }
}
