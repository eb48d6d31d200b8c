using System.Text;
using Runtime.Inference;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

/// <summary>Builds schemas and requests for tests.</summary>
internal static class SchemaRequests
{
    public const string Model = "model";

    public static InputSchema Schema(params SchemaInput[] inputs) => new() { Source = SchemaTexts.PythonName, Inputs = inputs };

    public static SchemaInput Input(string name, string type, long[] shape, bool required = true)
    {
        Assert.True(SchemaDatatypes.TryParse(type, out var dataType));
        return new(name, dataType, SchemaDatatypes.IsText(type), shape, required);
    }

    /// <summary>Adds a tensor of zeros, or of empty strings, which has the bytes that its shape takes.</summary>
    public static void Add(InferenceRequest request, string name, DataType type, params long[] shape)
    {
        var count = Shapes.ElementCount(shape);
        request.Inputs.Rent(name, type, shape, count * (type == DataType.Bytes ? 4 : type.Size()), out var memory);
        memory.Span.Clear();
    }

    public static InferenceRequest Request(string name, DataType type, params long[] shape)
    {
        var request = new InferenceRequest();
        Add(request, name, type, shape);
        return request;
    }

    /// <summary>Faults as <c>input code</c>.</summary>
    public static string[] Codes(InferenceError? error) => [.. error?.Details?.Select(detail => $"{detail.Input} {detail.Code}") ?? []];

    public static InferenceError? Explain(InputSchema schema, string json, RequestForm form, int maxBatchSize = 0)
        => new SchemaValidator(schema, Model, maxBatchSize).Explain(Encoding.UTF8.GetBytes(json), form);
}
