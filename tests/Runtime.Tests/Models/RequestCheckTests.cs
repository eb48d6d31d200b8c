using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

public class RequestCheckTests
{
    public static TheoryData<string, long[], int[], string> Bad => new()
    {
        { "X", [1, 2], [1], "byte size mismatch for input 'X' for model 'test'. Expected 8, got 4" },
        { "X", [9, 1], [1, 2, 3, 4, 5, 6, 7, 8, 9], "batch-size must be <= 8 for 'test', got 9" },
        { "X", [1], [1], "unexpected shape for input 'X' for model 'test'. Expected [-1,-1], got [1]" },
        { "X", [0, 1], [], "unexpected shape" },
        { "X", [1, -1], [1], "unexpected shape" },
        { "X", [], [1], "has no shape but model requires batch dimension" },
        { "Z", [1, 1], [1], "unexpected inference input 'Z' for model 'test', which has the inputs ['X']" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void Check_BadInput_SaysWhatWasExpectedAndWhatCame(string name, long[] shape, int[] values, string expected)
    {
        using var request = TestModels.Request(shape, values, name);

        var error = RequestCheck.Check(request, TestModels.Config(), out _);

        Assert.Equal(ErrorCode.InvalidArgument, error!.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_NoInputs_NamesTheMissing()
    {
        using var request = new InferenceRequest { Id = "a" };

        var error = RequestCheck.Check(request, TestModels.Config(), out _);

        Assert.Equal("[request id: a] expected 1 inputs but got 0 inputs for model 'test'. Got input(s) [], but missing required input(s) ['X']. Please provide all required input(s).", error!.Message);
    }

    [Fact]
    public void Check_WrongType_NamesBoth()
    {
        using var request = new InferenceRequest();
        request.Inputs.Rent("X", DataType.Fp32, [1, 1], 4, out _);

        Assert.Contains("data-type is 'FP32', but model 'test' expects 'INT32'", RequestCheck.Check(request, TestModels.Config(), out _)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_BatchesDiffer_IsRefused()
    {
        using var request = TestModels.Request([2, 1], [1, 2]);
        TestModels.AddInput(request, "W", [1, 1], 3);
        var config = TestModels.Config(message => message.Input.Add(new Protocol.ModelInput { Name = "W", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } }));

        Assert.Contains("input 'W' batch size 1 does not match other inputs' 2", RequestCheck.Check(request, config, out _)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Reshape_GivesTheModelsShape()
    {
        using var request = TestModels.Request([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
        var config = TestModels.Config(message =>
        {
            message.Input[0].Dims[0] = 4;
            message.Input[0].Reshape = new Protocol.ModelTensorReshape { Shape = { 2, -1 } };
        });

        Assert.Null(RequestCheck.Check(request, config, out var rows));
        Assert.Equal(2, rows);
        Assert.Equal([2, 2, 2], request.Inputs[0].Shape);
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 0 }, "only 3 bytes available")]
    [InlineData(new byte[] { 255, 255, 255, 255 }, "expecting string of length 4294967295 but only 0 bytes available")]
    [InlineData(new byte[] { 0, 0, 0, 0 }, "expected 2 string elements")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "expected 2 string elements")]
    public void Check_MalformedStrings_AreRefused(byte[] data, string expected)
    {
        using var request = new InferenceRequest();
        request.Inputs.Rent("X", DataType.Bytes, [1, 2], data.Length, out var memory);
        data.CopyTo(memory);
        var config = TestModels.Config(message => message.Input[0].DataType = Protocol.DataType.TypeString);

        Assert.Contains(expected, RequestCheck.Check(request, config, out _)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_Classification_GivesTheGreatestFirst()
    {
        using var model = TestModels.Make(TestModels.AddOne);
        using var request = TestModels.Request([2, 3], [5, 9, 5, 1, 2, 3]);
        request.Outputs.Add(new RequestedOutput("Y", 2));

        using var response = await model.InferAsync(request, default);

        var text = System.Text.Encoding.UTF8.GetString(response.Outputs[0].Data.Span).Replace("\0", "", StringComparison.Ordinal);
        Assert.Equal([2, 2], response.Outputs[0].Shape);
        Assert.Equal("\u000410:1\u00036:0\u00034:2\u00033:1", text);
    }
}
