using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>How a model's responses become JSON: as the protocol's object, or as a route's own.</summary>
internal sealed class AnswerFormat
{
    private readonly Action<JsonBuffer, InferenceResponse> _write;
    private readonly string _output;

    private AnswerFormat(Action<JsonBuffer, InferenceResponse> write, string output = "") => (_write, _output) = (write, output);

    /// <summary>The object of <c>generate</c>: model, version and outputs.</summary>
    public static AnswerFormat Generate { get; } = new(GenerateJson.Write);

    /// <summary>The object of <c>infer</c>, every output in it.</summary>
    public static AnswerFormat Infer(InferCall call, bool allowsHalfPrecision) => new((buffer, response) =>
    {
        if (InferResponseJson.Write(buffer, response, call, allowsHalfPrecision) >= 0)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, "outputs cannot be binary in server-sent events: leave binary_data and binary_data_output away");
        }
    });

    /// <summary>A route's answer: an object of the outputs, or the value of the only one that it names.</summary>
    public static AnswerFormat Route(string output)
        => output.Length == 0 ? new(GenerateJson.WriteOutputs) : new((buffer, response) => GenerateJson.WriteValue(buffer, Find(response, output)), output);

    /// <summary>Writes the answer to a request that asked for one.</summary>
    public void WriteBody(JsonBuffer buffer, InferenceResponse response) => _write(buffer, response);

    /// <summary>Writes one event. A route's only output that is text is sent as it is, a <c>data:</c> line for each of its lines.</summary>
    public void WriteEvent(JsonBuffer buffer, InferenceResponse response)
    {
        buffer.Write("data: "u8);
        if (_output.Length > 0 && Find(response, _output) is { Type: DataType.Bytes, ElementCount: 1 } text)
        {
            WriteLines(buffer, text.Data.Span[4..]);
        }
        else
        {
            _write(buffer, response);
        }

        buffer.Write("\n\n"u8);
    }

    private static Tensor Find(InferenceResponse response, string output) => response.Outputs.Find(output)
        ?? throw new InferenceException(ErrorCode.Internal, $"model '{response.ModelName}' gave no output '{output}', which its route answers with");

    private static void WriteLines(JsonBuffer buffer, ReadOnlySpan<byte> text)
    {
        var isFirst = true;
        foreach (var line in text.Split((byte)'\n'))
        {
            if (!isFirst)
            {
                buffer.Write("\ndata: "u8);
            }

            isFirst = false;
            buffer.Write(text[line].TrimEnd((byte)'\r'));
        }
    }
}
