using System.Globalization;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>Writes the JSON of a response to an infer request, and puts outputs into shared memory.</summary>
internal static class InferResponseJson
{
    /// <summary>Writes the object, and gives the size of the outputs that are to follow it as bytes; -1 where none are.</summary>
    /// <exception cref="InferenceException">An output cannot be delivered as the client wants it.</exception>
    public static long Write(JsonBuffer buffer, InferenceResponse response, InferCall call, bool allowsHalfPrecision)
    {
        WriteHead(buffer, response);
        if (response.Parameters is { Count: > 0 } parameters)
        {
            buffer.Write(",\"parameters\":"u8);
            WriteParameters(buffer, parameters);
        }

        buffer.Write(",\"outputs\":["u8);
        long binarySize = -1;
        for (var i = 0; i < response.Outputs.Count; i++)
        {
            if (i > 0)
            {
                buffer.Write((byte)',');
            }

            var output = response.Outputs[i];
            if (IsBinary(call, output))
            {
                WriteTensorHead(buffer, output);
                buffer.Write(",\"parameters\":{\"binary_data_size\":"u8);
                buffer.Write(output.Data.Length);
                buffer.Write("}}"u8);
                binarySize = Math.Max(binarySize, 0) + output.Data.Length;
            }
            else
            {
                WriteOutput(buffer, output, call, allowsHalfPrecision);
            }
        }

        buffer.Write("]}"u8);
        return binarySize;
    }

    /// <summary>Whether an output follows the JSON as bytes.</summary>
    public static bool IsBinary(InferCall call, Tensor output)
        => call.Deliveries is null ? call.IsBinaryByDefault : call.Delivery(output.Name)?.IsBinary ?? call.IsBinaryByDefault;

    /// <summary>Writes the opening brace and the members that every answer to an inference begins with.</summary>
    public static void WriteHead(JsonBuffer buffer, InferenceResponse response)
    {
        buffer.Write((byte)'{');
        if (response.Id.Length > 0)
        {
            buffer.Write("\"id\":"u8);
            buffer.WriteString(response.Id);
            buffer.Write((byte)',');
        }

        buffer.Write("\"model_name\":"u8);
        buffer.WriteString(response.ModelName);
        buffer.Write(",\"model_version\":\""u8);
        buffer.Write(response.ModelVersion);
        buffer.Write((byte)'"');
    }

    private static void WriteParameters(JsonBuffer buffer, Dictionary<string, ParameterValue> parameters)
    {
        var separator = (byte)'{';
        foreach (var (name, value) in parameters)
        {
            buffer.Write(separator);
            separator = (byte)',';
            buffer.WriteString(name);
            buffer.Write((byte)':');
            WriteParameter(buffer, value);
        }

        buffer.Write((byte)'}');
    }

    private static void WriteParameter(JsonBuffer buffer, ParameterValue value)
    {
        switch (value.Kind)
        {
            case ParameterKind.Bool:
                buffer.Write(value.AsBool ? "true"u8 : "false"u8);
                break;
            case ParameterKind.String:
                buffer.WriteString(value.AsString);
                break;
            case ParameterKind.Double:
                value.AsDouble.TryFormat(buffer.Reserve(32), out var written, "R", CultureInfo.InvariantCulture);
                buffer.Advance(written);
                break;
            case ParameterKind.Uint64:
                value.AsUint64.TryFormat(buffer.Reserve(32), out written, default, CultureInfo.InvariantCulture);
                buffer.Advance(written);
                break;
            default:
                buffer.Write(value.AsInt64);
                break;
        }
    }

    private static void WriteOutput(JsonBuffer buffer, Tensor output, InferCall call, bool allowsHalfPrecision)
    {
        WriteTensorHead(buffer, output);
        if (call.Delivery(output.Name)?.Region is { } region)
        {
            if (region.Memory.Length < output.Data.Length)
            {
                throw JsonCursor.Invalid(
                    $"shared memory size specified with the request for output '{output.Name}' ({region.Memory.Length} bytes) should be at least {output.Data.Length} bytes to hold the results");
            }

            region.Write(output.Data);
            buffer.Write((byte)'}');
            return;
        }

        if (output.Type is DataType.Fp16 or DataType.Bf16 && !allowsHalfPrecision)
        {
            throw JsonCursor.Invalid(
                $"sending {output.Type.Name()} data via JSON is not supported. Please use the binary data format for output '{output.Name}', or start the server with --http-half-precision-json=true");
        }

        buffer.Write(",\"data\":["u8);
        TensorJsonWriter.Write(buffer, output);
        buffer.Write("]}"u8);
    }

    private static void WriteTensorHead(JsonBuffer buffer, Tensor output)
    {
        buffer.Write("{\"name\":"u8);
        buffer.WriteString(output.Name);
        buffer.Write(",\"datatype\":\""u8);
        buffer.Write(output.Type.Utf8Name());
        buffer.Write("\",\"shape\":["u8);
        for (var i = 0; i < output.Shape.Length; i++)
        {
            if (i > 0)
            {
                buffer.Write((byte)',');
            }

            buffer.Write(output.Shape[i]);
        }

        buffer.Write((byte)']');
    }
}
