using Runtime.Models;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Tests.Models.Configuration;

public sealed class ConfigCompletionTests
{
    private static readonly ModelSignature Batching = new(
        [new("A", DataType.Int32, [-1, 16]), new("B", DataType.Int32, [-1, 16])],
        [new("SUM", DataType.Int32, [-1, 16]), new("MORE", DataType.Bytes, [-1])]);

    private static readonly ModelSignature Fixed = new([new("A", DataType.Int32, [16])], [new("SUM", DataType.Int32, [])]);

    [Fact]
    public void Complete_NothingConfigured_IsWhollyFromTheFile()
    {
        var config = Complete("", Batching);

        Assert.Equal(4, config.MaxBatchSize);
        Assert.Equal([4], config.DynamicBatching.PreferredBatchSize);
        Assert.Equal(["A", "B"], config.Input.Select(input => input.Name));
        Assert.All(config.Input, input => Assert.Equal([16], input.Dims));
        Assert.All(config.Input, input => Assert.Equal(Protocol.DataType.TypeInt32, input.DataType));
        Assert.Equal(Protocol.DataType.TypeString, config.Output[1].DataType);
        Assert.Equal([1], config.Output[1].Dims);
        Assert.Empty(config.Output[1].Reshape.Shape);
        Assert.Equal(2, config.InstanceGroup[0].Count);
        ConfigRules.Check(config);
    }

    [Theory]
    [InlineData("dims: 16", "output { name: 'MORE' } output { name: 'SUM' }", "MORE,SUM", null)]
    [InlineData("dims: 16", "", "MORE", null)]
    [InlineData("dims: 8", "", "", "tensor 'B': the model expects 2 dimensions (shape [-1,16])")]
    public void Complete_StateOfASequence_MustFitTheFileAndIsAnOutputOnlyWhereConfigured(string dims, string outputs, string expected, string? fault)
    {
        var text = $"max_batch_size: 4 sequence_batching {{ state {{ input_name: 'B' output_name: 'SUM' data_type: TYPE_INT32 {dims} }} }} {outputs}";

        var exception = Record.Exception(() =>
        {
            var config = Complete(text, Batching);
            Assert.Equal(["A"], config.Input.Select(input => input.Name));
            Assert.Equal(expected, string.Join(',', config.Output.Select(output => output.Name)));
        });

        Assert.Equal(fault is null, exception is null);
        Assert.Contains(fault ?? "", exception?.Message ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_FileWithoutBatchDimension_DoesNotBatch()
    {
        var config = Complete("", Fixed);

        Assert.Equal(0, config.MaxBatchSize);
        Assert.Null(config.DynamicBatching);
        Assert.Equal([16], config.Input[0].Dims);
        Assert.Equal([1], config.Output[0].Dims);
        Assert.Null(config.Output[0].Reshape);
        ConfigRules.Check(config);
    }

    [Fact]
    public void Complete_MaxBatchSizeConfigured_IsKept()
    {
        Assert.Equal(7, Complete("max_batch_size: 7", Batching).MaxBatchSize);
        Assert.Null(Complete("max_batch_size: 1", Batching).DynamicBatching);
        Assert.Equal(500u, Complete("dynamic_batching { max_queue_delay_microseconds: 500 }", Batching).DynamicBatching.MaxQueueDelayMicroseconds);
    }

    [Fact]
    public void Complete_FullShapeConfigured_DoesNotBatch()
    {
        var config = Complete("input [ { name: 'A' dims: [ -1, 16 ] } ]", Batching);

        Assert.Equal(0, config.MaxBatchSize);
        Assert.Equal([-1, 16], config.Input[1].Dims);
        Assert.Equal([-1], config.Output[1].Dims);
    }

    [Fact]
    public void Complete_OutputsConfigured_LeavesTheOthersOut()
    {
        var config = Complete("max_batch_size: 2 output { name: 'SUM' }", Batching);
        Assert.Equal(["SUM"], config.Output.Select(output => output.Name));
        Assert.Equal([16], config.Output[0].Dims);
    }

    [Fact]
    public void Complete_InputsAndOutputsConfigured_ChangesNothing()
    {
        var config = Prepare(ConfigTexts.Served);
        var before = config.Clone();
        ConfigCompletion.Complete(config, Batching, autoComplete: true);
        Assert.Equal(before, config);
    }

    [Fact]
    public void Complete_WithoutSignature_FillsPreferredBatchSize()
    {
        var config = ModelConfigText.Parse("max_batch_size: 3 dynamic_batching { }", "f");
        ConfigCompletion.Complete(config, null, autoComplete: true);
        Assert.Equal([3], config.DynamicBatching.PreferredBatchSize);
    }

    [Fact]
    public void Complete_WithoutCompletion_NamesTheMissingInputs()
    {
        var exception = Assert.Throws<ModelConfigException>(() => ConfigCompletion.Complete(Prepare("max_batch_size: 8"), Batching, autoComplete: false));
        Assert.Equal("unable to load model 'model', configuration expects 0 inputs, model provides 2; missing in the configuration: A, B", exception.Message);
    }

    [Theory]
    [InlineData("[ 16 ]", "TYPE_INT32", "[-1,16]", "")]
    [InlineData("[ 8 ]", "TYPE_INT32", "[-1,-1]", "")]
    [InlineData("[ 4, 4 ]", "TYPE_INT32", "[-1,16]", "model 'model', tensor 'A': the model expects 2 dimensions (shape [-1,16]) but the model configuration specifies 3 dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape [-1,4,4])")]
    [InlineData("[ -1 ]", "TYPE_INT32", "[-1,16]", "model 'model', tensor 'A': the model expects 2 dimensions (shape [-1,16]) but the model configuration specifies 2 dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making complete shape [-1,-1])")]
    [InlineData("[ 16 ]", "TYPE_INT32", "[16]", "model 'model', tensor 'A': for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; but shape expected by the model is [16]")]
    [InlineData("[ 16 ]", "TYPE_INT32", "[]", "model 'model', tensor 'A': for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; but shape expected by the model is []")]
    [InlineData("[ 16 ]", "TYPE_FP32", "[-1,16]", "unable to load model 'model', configuration expects datatype TYPE_FP32 for input 'A', model provides TYPE_INT32")]
    [InlineData("16 reshape { shape: [ 4, 4 ] }", "TYPE_INT32", "[-1,4,4]", "")]
    public void Complete_BatchingInput_MustFitTheFile(string dims, string type, string declared, string expected) =>
        AssertComplete($"max_batch_size: 8 input {{ name: 'A' data_type: {type} dims: {dims} }}", declared, expected);

    [Theory]
    [InlineData("[ 16 ]", "[16]", "")]
    [InlineData("[ 2, 16 ]", "[-1,16]", "")]
    [InlineData("[ 1 ]", "[]", "")]
    [InlineData("[ 2 ]", "[]", "model 'model', tensor 'A': the model expects 0 dimensions (shape []) but the model configuration specifies 1 dimensions (shape [2])")]
    [InlineData("[ 16 ]", "[-1,16]", "model 'model', tensor 'A': the model expects 2 dimensions (shape [-1,16]) but the model configuration specifies 1 dimensions (shape [16])")]
    public void Complete_InputWithoutBatching_MustFitTheFile(string dims, string declared, string expected) =>
        AssertComplete($"input {{ name: 'A' data_type: TYPE_INT32 dims: {dims} }}", declared, expected);

    [Theory]
    [InlineData("input { name: 'X' }", "unexpected inference input 'X', allowed inputs are: A, B")]
    [InlineData("output { name: 'X' }", "unexpected inference output 'X', allowed outputs are: MORE, SUM")]
    public void Complete_UnknownName_SaysWhichAreAllowed(string text, string expected) =>
        Assert.Equal(expected, Assert.Throws<ModelConfigException>(() => Complete(text, Batching)).Message);

    private static void AssertComplete(string text, string declared, string expected)
    {
        var shape = declared.Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse).ToArray();
        var signature = new ModelSignature([new("A", DataType.Int32, shape)], [new("O", DataType.Int32, [-1, 1])]);
        var config = text + " output { name: 'O' data_type: TYPE_INT32 dims: " + (text.StartsWith("max", StringComparison.Ordinal) ? "1 }" : "[ -1, 1 ] }");
        var exception = Record.Exception(() => Complete(config, signature));
        Assert.Equal(expected, exception?.Message ?? "");
    }

    private static Protocol.ModelConfig Complete(string text, ModelSignature signature)
    {
        var config = Prepare(text);
        ConfigCompletion.Complete(config, signature, autoComplete: true);
        return config;
    }

    private static Protocol.ModelConfig Prepare(string text)
    {
        var config = ModelConfigText.Parse(text, "f");
        config.Backend = "onnxruntime";
        ConfigRules.Prepare(config, "model", "nowhere", autoComplete: true);
        return config;
    }
}
