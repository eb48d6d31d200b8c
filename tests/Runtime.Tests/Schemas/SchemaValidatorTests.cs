using Runtime.Inference;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

public class SchemaValidatorTests
{
    [Theory]
    [InlineData("1", 0, "1", "1")]
    [InlineData("1", 0, "1,1", "1")]
    [InlineData("1", 0, "", "1")]
    [InlineData("1", 8, "1", "1,1")]
    [InlineData("1", 8, "", "1,1")]
    [InlineData("1", 8, "1,1", "1,1")]
    [InlineData("1", 8, "3", "3,1")]
    [InlineData("1", 8, "8,1", "8,1")]
    [InlineData("4", 0, "4", "4")]
    [InlineData("4", 0, "1,4", "4")]
    [InlineData("4", 8, "4", "1,4")]
    [InlineData("4", 8, "2,4", "2,4")]
    [InlineData("-1", 0, "0", "0")]
    [InlineData("-1", 0, "7", "7")]
    [InlineData("-1", 0, "1,7", "7")]
    [InlineData("-1", 8, "7", "1,7")]
    [InlineData("-1", 8, "2,7", "2,7")]
    [InlineData("-1,3", 0, "5,3", "5,3")]
    [InlineData("-1,3", 0, "1,5,3", "5,3")]
    [InlineData("-1,3", 8, "5,3", "1,5,3")]
    [InlineData("1,3", 8, "1,3", "1,1,3")]
    [InlineData("2,3,4", 8, "2,2,3,4", "2,2,3,4")]
    public void Check_EachFormOfAShape_IsNormalised(string schemaShape, int maxBatchSize, string shape, string expected)
    {
        using var request = SchemaRequests.Request("x", DataType.Int16, Numbers(shape));
        var data = request.Inputs[0].Data;

        Assert.Null(Validator(maxBatchSize, SchemaRequests.Input("x", "INT16", Numbers(schemaShape))).Check(request));

        Assert.Equal(Numbers(expected), request.Inputs[0].Shape);
        Assert.True(data.Equals(request.Inputs[0].Data), "the bytes were copied");
    }

    [Theory]
    [InlineData("1", 0, "2", "has the shape [2], 2 rows of [1], but the model takes no batches")]
    [InlineData("1", 0, "2,1", "has the shape [2,1], 2 rows of [1], but the model takes no batches")]
    [InlineData("1", 8, "9", "has the shape [9], 9 rows of [1], but the model takes at most 8")]
    [InlineData("1", 8, "0", "has the shape [0], expected [1] or rows of it")]
    [InlineData("1", 8, "1,1,1", "has the shape [1,1,1], expected [1] or rows of it")]
    [InlineData("1", 8, "3,2", "has the shape [3,2], expected [1] or rows of it")]
    [InlineData("4", 0, "3", "has the shape [3], expected [4]")]
    [InlineData("4", 0, "2,4", "2 rows of [4], but the model takes no batches")]
    [InlineData("4", 8, "4,1", "has the shape [4,1], expected [4] or rows of it")]
    [InlineData("4", 8, "", "has the shape [], expected [4] or rows of it")]
    [InlineData("-1,3", 0, "3,5", "has the shape [3,5], expected [-1,3]")]
    [InlineData("-1,3", 8, "0,5,3", "has the shape [0,5,3], expected [-1,3] or rows of it")]
    public void Check_WrongShape_IsNamed(string schemaShape, int maxBatchSize, string shape, string expected)
    {
        using var request = SchemaRequests.Request("x", DataType.Int16, Numbers(shape));

        var error = Validator(maxBatchSize, SchemaRequests.Input("x", "INT16", Numbers(schemaShape))).Check(request);

        Assert.Equal(["x wrong_shape"], SchemaRequests.Codes(error));
        Assert.Contains(expected, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_EveryFault_IsInOneSentence()
    {
        using var request = SchemaRequests.Request("a", DataType.Fp32, 1);
        SchemaRequests.Add(request, "a", DataType.Int8, 1);
        SchemaRequests.Add(request, "promt", DataType.Bytes, 1);
        SchemaRequests.Add(request, "b", DataType.Bytes, 3);
        request.Inputs.Rent("c", DataType.Int64, [2], 15, out _);

        var error = Validator(
            0,
            SchemaRequests.Input("a", "INT8", [1]),
            SchemaRequests.Input("b", "STRING", [2]),
            SchemaRequests.Input("c", "INT64", [2]),
            SchemaRequests.Input("prompt", "STRING", [1]),
            SchemaRequests.Input("o", "STRING", [1], false)).Check(request);

        Assert.Equal(ErrorCode.InvalidArgument, error!.Code);
        Assert.Equal(["a wrong_datatype", "a duplicate", "promt unknown", "b wrong_shape", "c wrong_length", "prompt missing"], SchemaRequests.Codes(error));
        Assert.Equal(
            "invalid request for model 'model': input 'a' has the datatype FP32, expected INT8; input 'a' is there more than once; "
            + "input 'promt' is none of the model's inputs, 'a', 'b', 'c', 'prompt', 'o'; did you mean 'prompt'?; input 'b' has the shape [3], expected [2]; "
            + "input 'c' has 15 bytes, its shape [2] takes 16; input 'prompt' is required but missing",
            error.Message);
        Assert.All(error.Details!, detail => Assert.Contains(detail.Message, error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Check_RowsThatDiffer_AreNamed()
    {
        using var request = SchemaRequests.Request("a", DataType.Int8, 2, 1);
        SchemaRequests.Add(request, "b", DataType.Int8, 3);

        var error = Validator(8, SchemaRequests.Input("a", "INT8", [1]), SchemaRequests.Input("b", "INT8", [1])).Check(request);

        Assert.Equal(["b wrong_shape"], SchemaRequests.Codes(error));
        Assert.Contains("input 'b' has 3 rows, the inputs before it have 2", error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 8, "has 2 strings, its shape [1] takes 1")]
    [InlineData(3, 8, "has 2 strings, its shape [3] takes 3")]
    [InlineData(2, 7, "ends within a string")]
    [InlineData(2, 5, "ends within a string")]
    public void Check_StringsThatDoNotFillTheShape_AreNamed(long count, int bytes, string expected)
    {
        using var request = new InferenceRequest();
        request.Inputs.Rent("x", DataType.Bytes, [count], bytes, out var memory);
        memory.Span.Clear();

        var error = Validator(0, SchemaRequests.Input("x", "STRING", [-1])).Check(request);

        Assert.Equal(["x wrong_length"], SchemaRequests.Codes(error));
        Assert.Contains(expected, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ShapeBeyondCounting_IsRefusedThoughItsStringsAreBroken()
    {
        using var request = new InferenceRequest();
        request.Inputs.Rent("x", DataType.Bytes, [1L << 40, 1L << 40], 3, out _);

        Assert.Equal(["x wrong_length"], SchemaRequests.Codes(Validator(0, SchemaRequests.Input("x", "BYTES", [-1, -1])).Check(request)));
    }

    [Fact]
    public void Check_OptionalInputsInAnyOrder_StayAbsent()
    {
        using var request = SchemaRequests.Request("c", DataType.Int8, 1);
        SchemaRequests.Add(request, "a", DataType.Bool, 2);
        var validator = Validator(0, SchemaRequests.Input("a", "BOOL", [2]), SchemaRequests.Input("b", "FP16", [1], false), SchemaRequests.Input("c", "INT8", [1], false));

        Assert.Null(validator.Check(request));
        Assert.Equal(2, request.Inputs.Count);
    }

    [Fact]
    public void Check_ManyInputs_AreToldApart()
    {
        var inputs = Enumerable.Range(0, 200).Select(i => SchemaRequests.Input($"x{i}", "INT8", [1])).ToArray();
        using var request = new InferenceRequest();
        foreach (var input in inputs.Reverse())
        {
            SchemaRequests.Add(request, input.Name, input.Type, 1);
        }

        var validator = Validator(0, inputs);

        Assert.Null(validator.Check(request));
        SchemaRequests.Add(request, "x130", DataType.Int8, 1);
        Assert.Equal(["x130 duplicate"], SchemaRequests.Codes(validator.Check(request)));
    }

    [Fact]
    public void Check_EndlessFaults_AreBounded()
    {
        using var request = new InferenceRequest();
        for (var i = 0; i < 1000; i++)
        {
            SchemaRequests.Add(request, new string('x', 10_000) + i, DataType.Int8, 1);
        }

        var error = Validator(0, SchemaRequests.Input("a", "INT8", [1])).Check(request);

        Assert.Equal(FaultList.Most, error!.Details!.Count);
        Assert.EndsWith("; and more", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 32 * 1024, "names of the client's make the message long");
    }

    [Fact]
    public void Check_NormalRequest_AllocatesNothing()
    {
        var inputs = Enumerable.Range(0, 10).Select(i => SchemaRequests.Input($"x{i}", i % 2 == 0 ? "STRING" : "FP32", i % 3 == 0 ? [-1] : [1])).ToArray();
        using var request = new InferenceRequest();
        foreach (var input in inputs)
        {
            SchemaRequests.Add(request, input.Name, input.Type, 2, 1);
        }

        var validator = Validator(8, inputs);
        Assert.Null(validator.Check(request));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = validator.Check(request);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Null(error);
        Assert.Equal(0, allocated);
    }

    private static SchemaValidator Validator(int maxBatchSize, params SchemaInput[] inputs) => new(SchemaRequests.Schema(inputs), SchemaRequests.Model, maxBatchSize);

    private static long[] Numbers(string text) => text.Length == 0 ? [] : [.. text.Split(',').Select(long.Parse)];
}
