using System.Text.Json;
using Runtime.Host.Nvcf;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>
/// The bodies of <c>generate</c>: an object whose keys that are inputs are tensors, without datatypes and shapes; other keys
/// are parameters. An answer's outputs are its keys likewise, a single element without brackets.
/// </summary>
internal static class GenerateJson
{
    /// <summary>Fills the call from a request's body.</summary>
    /// <exception cref="InferenceException">The JSON is malformed, or a value does not fit its input.</exception>
    public static void Read(ReadOnlySpan<byte> text, ModelConfig model, InferCall call)
    {
        var cursor = new JsonCursor(text);
        try
        {
            cursor.Read();
            if (cursor.Token != JsonTokenType.StartObject)
            {
                throw JsonCursor.Invalid("attempt to get members for non-object: the body must be a JSON object");
            }

            while (cursor.ReadMember())
            {
                ReadMember(ref cursor, model, call);
            }

            cursor.ReadEnd();
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw cursor.Malformed(fault);
        }
    }

    /// <summary>Writes one response.</summary>
    /// <exception cref="InferenceException">An output cannot be JSON.</exception>
    public static void Write(JsonBuffer buffer, InferenceResponse response)
    {
        InferResponseJson.WriteHead(buffer, response);
        foreach (var output in response.Outputs.Tensors)
        {
            buffer.Write((byte)',');
            WriteMember(buffer, output);
        }

        buffer.Write((byte)'}');
    }

    /// <summary>Writes an object of nothing but the outputs.</summary>
    /// <exception cref="InferenceException">An output cannot be JSON.</exception>
    public static void WriteOutputs(JsonBuffer buffer, InferenceResponse response)
    {
        var separator = (byte)'{';
        foreach (var output in response.Outputs.Tensors)
        {
            buffer.Write(separator);
            WriteMember(buffer, output);
            separator = (byte)',';
        }

        buffer.Write(response.Outputs.Count == 0 ? "{}"u8 : "}"u8);
    }

    /// <summary>Writes an output's elements, a single one without brackets.</summary>
    /// <exception cref="InferenceException">The output cannot be JSON.</exception>
    public static void WriteValue(JsonBuffer buffer, Tensor output)
    {
        var isScalar = output.ElementCount == 1;
        buffer.Write(isScalar ? default : "["u8);
        TensorJsonWriter.Write(buffer, output);
        buffer.Write(isScalar ? default : "]"u8);
    }

    private static void WriteMember(JsonBuffer buffer, Tensor output)
    {
        buffer.WriteString(output.Name);
        buffer.Write((byte)':');
        WriteValue(buffer, output);
    }

    private static void ReadMember(ref JsonCursor cursor, ModelConfig model, InferCall call)
    {
        foreach (var input in model.Inputs)
        {
            if (cursor.Is(input.Name))
            {
                ReadInput(ref cursor, model, input, call);
                return;
            }
        }

        if (cursor.Is("id"u8))
        {
            cursor.Read();
            call.Request.Id = call.Request.Id.Length == 0 ? cursor.GetString("id") : call.Request.Id;
        }
        else if (cursor.Is("parameters"u8))
        {
            ParametersJson.Read(ref cursor, call);
        }
        else
        {
            ParametersJson.ReadMember(ref cursor, call);
        }
    }

    private static void ReadInput(ref JsonCursor cursor, ModelConfig model, TensorConfig input, InferCall call)
    {
        var inputs = call.Request.Inputs;
        if (inputs.IndexOf(input.Name) >= 0)
        {
            cursor.Skip();
            return;
        }

        var start = cursor.ValueStart();
        if (start >= cursor.Text.Length)
        {
            throw new JsonException("The document ends before a value.");
        }

        var shape = input.ClientShape(model.IsBatching);
        if (call.Nvcf is { } nvcf && cursor.Text[start] == (byte)'{')
        {
            var head = new Tensor(input.Name, input.Type, shape, default);
            nvcf.Assets.Add(inputs, head, ReadAsset(ref cursor, input.Name), static (tensor, count) => Distribute(count, tensor.Shape, tensor.Name));
            return;
        }

        var end = TensorJsonReader.ReadAny(cursor, start, new TensorHead(input.Name, input.Type, shape), inputs, out var found);
        inputs.Replace(inputs.Count - 1, inputs[inputs.Count - 1] with { Shape = Distribute(found, shape, input.Name) });
        cursor.ContinueAt(end);
    }

    /// <summary>The asset that stands in an input's place: an object with that one key.</summary>
    private static string ReadAsset(ref JsonCursor cursor, string input)
    {
        string? id = null;
        cursor.Read();
        while (cursor.ReadMember())
        {
            if (id is not null || !cursor.Is(AssetInputs.Key))
            {
                throw JsonCursor.Invalid($"the object for input '{input}' must have one key, '{AssetInputs.Key}' (at byte {cursor.Position})");
            }

            cursor.Read();
            id = cursor.GetString(AssetInputs.Key);
        }

        return id ?? throw JsonCursor.Missing(AssetInputs.Key);
    }

    /// <summary>The shape that the elements fill: the last dimension that may vary takes all that the fixed ones leave, the others are 1.</summary>
    private static long[] Distribute(long count, long[] shape, string name)
    {
        var filled = (long[])shape.Clone();
        var left = count;
        var fits = true;
        foreach (var dimension in shape)
        {
            if (dimension > 0)
            {
                fits &= left % dimension == 0;
                left /= dimension;
            }
            else if (dimension == 0)
            {
                fits &= count == 0;
            }
        }

        for (var i = shape.Length - 1; i >= 0; i--)
        {
            if (shape[i] < 0)
            {
                filled[i] = left;
                left = 1;
            }
        }

        return fits && left == 1
            ? filled
            : throw JsonCursor.Invalid($"The schema can not convert input '{name}' to tensor with proper shape: {count} elements do not fill {Shapes.Text(shape)}");
    }
}
