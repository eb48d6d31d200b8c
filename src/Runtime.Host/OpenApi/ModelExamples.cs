using System.Text.Json.Nodes;
using Runtime.Models;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Host.OpenApi;

/// <summary>Example requests of a model: the examples of its schema, else zeros and words of the smallest shape.</summary>
internal static class ModelExamples
{
    /// <summary>More elements than that make no example that anyone would read.</summary>
    private const int MostElements = 64;

    /// <summary>An infer request; null where an input is too large to show.</summary>
    public static JsonObject? Infer(Model model)
    {
        var inputs = new JsonArray();
        foreach (var input in model.Config.Inputs)
        {
            if (Elements(model, input) is not { } elements)
            {
                if (input.Optional)
                {
                    continue;
                }

                return null;
            }

            var shape = Shape(model, input, elements.Count);
            inputs.Add((JsonNode)new JsonObject
            {
                ["name"] = input.Name,
                ["shape"] = new JsonArray([.. shape.Select(dimension => (JsonNode)dimension)]),
                ["datatype"] = input.Type.Name(),
                ["data"] = new JsonArray([.. elements]),
            });
        }

        return new JsonObject { ["inputs"] = inputs };
    }

    /// <summary>A plain object of the inputs; null where an input is too large to show.</summary>
    public static JsonObject? Generate(Model model)
    {
        var body = new JsonObject();
        foreach (var input in model.Config.Inputs)
        {
            if (Elements(model, input) is { } elements)
            {
                body[input.Name] = elements.Count == 1 ? elements[0] : new JsonArray([.. elements]);
            }
            else if (!input.Optional)
            {
                return null;
            }
        }

        return body;
    }

    private static List<JsonNode?>? Elements(Model model, TensorConfig input)
    {
        if (Described(model, input)?.Example is { } example)
        {
            return [.. example.Select(value => (JsonNode?)JsonValue.Create(value))];
        }

        var count = Shapes.ElementCount([.. input.Dims.Select(dimension => Math.Max(1, dimension))]);
        return input.Optional || count > MostElements ? null : [.. Enumerable.Range(0, (int)count).Select(_ => Zero(input.Type))];
    }

    /// <summary>The shape that so many elements fill, a row of one before it where the model batches; the last dimension that varies takes them.</summary>
    private static List<long> Shape(Model model, TensorConfig input, long count)
    {
        long[] dims = [.. input.Dims];
        var left = count;
        foreach (var dimension in dims)
        {
            left /= Math.Max(1, dimension);
        }

        for (var i = dims.Length - 1; i >= 0; i--)
        {
            if (dims[i] < 0)
            {
                (dims[i], left) = (left, 1);
            }
        }

        return model.Config.IsBatching ? [1, .. dims] : [.. dims];
    }

    private static SchemaInput? Described(Model model, TensorConfig input) => model.Schema?.Schema.Inputs.FirstOrDefault(known => known.Name == input.Name);

    private static JsonNode Zero(DataType type) => type switch
    {
        DataType.Bytes => "text",
        DataType.Bool => false,
        DataType.Fp16 or DataType.Bf16 or DataType.Fp32 or DataType.Fp64 => 0.0,
        _ => 0,
    };
}
