using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Runtime.Inference;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

/// <summary>One input of a drawn request: the shape as sent, what it becomes, and its elements as flat JSON.</summary>
internal sealed record SentInput(SchemaInput Input, long[] Shape, long[] Normal, string[] Elements)
{
    /// <summary>Infer's object; nested data where the shape can be nested.</summary>
    public JsonObject ToInfer(bool isNested, string? datatype = null) => new()
    {
        ["name"] = Input.Name,
        ["shape"] = new JsonArray([.. Shape.Select(dimension => (JsonNode)dimension)]),
        ["datatype"] = datatype ?? (isNested ? Input.Type.Name() : Input.TypeName),
        ["data"] = isNested && Shape.Length > 0 && !Shape.Contains(0) ? Nest(0, 0, Elements.Length) : Flat(),
    };

    public JsonArray Flat() => new([.. Elements.Select(element => JsonNode.Parse(element))]);

    private JsonArray Nest(int dimension, int start, int count)
    {
        if (dimension == Shape.Length - 1)
        {
            return new([.. Elements.Skip(start).Take(count).Select(element => JsonNode.Parse(element))]);
        }

        var size = count / (int)Shape[dimension];
        return new([.. Enumerable.Range(0, (int)Shape[dimension]).Select(i => (JsonNode)Nest(dimension + 1, start + i * size, size))]);
    }
}

/// <summary>A drawn schema and a request that fits it.</summary>
internal sealed record DrawnRequest(InputSchema Schema, int MaxBatchSize, IReadOnlyList<SentInput> Sent, bool IsNested)
{
    public SchemaValidator Validator => new(Schema, SchemaRequests.Model, MaxBatchSize);

    public override string ToString() => $"{string.Join("; ", SchemaTexts.Lines(Schema))}; batch {MaxBatchSize}: {Infer()}";

    public JsonObject Infer() => new() { ["inputs"] = new JsonArray([.. Sent.Select(sent => (JsonNode)sent.ToInfer(IsNested))]) };

    public JsonObject Generate() => new(Sent.Select(sent => KeyValuePair.Create<string, JsonNode?>(sent.Input.Name, sent.Elements.Length == 1 ? JsonNode.Parse(sent.Elements[0]) : sent.Flat())));

    public InferenceRequest Tensors()
    {
        var request = new InferenceRequest();
        foreach (var sent in Sent)
        {
            SchemaRequests.Add(request, sent.Input.Name, sent.Input.Type, sent.Shape);
        }

        return request;
    }
}

/// <summary>Draws schemas with requests that fit them.</summary>
internal static class RequestGenerator
{
    public static Gen<DrawnRequest> Requests { get; } =
        from schema in Inputs()
        from maxBatchSize in Gen.Elements(0, 4)
        from rows in maxBatchSize > 0 ? Gen.Choose(1, maxBatchSize) : Gen.Constant(1)
        from isNested in Gen.Elements(true, false)
        from seed in Gen.Choose(0, int.MaxValue)
        select Draw(schema, maxBatchSize, rows, isNested, new Random(seed));

    private static Gen<SchemaInput[]> Inputs() =>
        from count in Gen.Choose(1, 6)
        from inputs in (from type in Gen.Elements(SchemaDatatypes.Names.ToArray())
                        from rank in Gen.Choose(1, 3)
                        from shape in Gen.Elements(-1L, 1L, 1L, 2L, 3L).ArrayOf(rank)
                        from required in Gen.Elements(true, false)
                        select SchemaRequests.Input("", type, shape, required)).ArrayOf(count)
        select inputs.Select((input, index) => input with { Name = $"in_{index}" }).ToArray();

    private static DrawnRequest Draw(SchemaInput[] inputs, int maxBatchSize, int rows, bool isNested, Random random)
    {
        // The first input is always sent, so that there is one to break.
        var sent = inputs.Where((input, index) => index == 0 || input.Required || random.Next(2) == 0).Select(input => Send(input, maxBatchSize, rows, random)).ToArray();
        random.Shuffle(sent);
        return new(SchemaRequests.Schema(inputs), maxBatchSize, sent, isNested);
    }

    private static SentInput Send(SchemaInput input, int maxBatchSize, int rows, Random random)
    {
        long[] own = [.. input.Shape.Select(dimension => dimension < 0 ? random.Next(1, 4) : dimension)];
        long[] withRows = [rows, .. own];
        var forms = new List<long[]> { withRows };
        if (rows == 1)
        {
            forms.Add(own);
        }

        if (input.IsSingle)
        {
            forms.Add([rows]);
        }

        var elements = Enumerable.Range(0, (int)Shapes.ElementCount(withRows)).Select(_ => Element(input.Type, random)).ToArray();
        return new(input, forms[random.Next(forms.Count)], maxBatchSize > 0 ? withRows : own, elements);
    }

    private static string Element(DataType type, Random random) => type switch
    {
        DataType.Bytes => $"\"s{random.Next(100)}\"",
        DataType.Bool => random.Next(2) == 0 ? "true" : "false",
        DataType.Int8 => $"{random.Next(-128, 128)}",
        DataType.Int16 or DataType.Int32 or DataType.Int64 => $"{random.Next(-32768, 32768)}",
        DataType.Fp16 or DataType.Bf16 or DataType.Fp32 or DataType.Fp64 => random.Next(2) == 0 ? $"{random.Next(-9, 9)}" : $"{random.Next(-9, 9)}.5e2",
        _ => $"{random.Next(256)}",
    };
}
