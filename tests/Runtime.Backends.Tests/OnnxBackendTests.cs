using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class OnnxBackendTests : PoolTest
{
    [Fact]
    public void Load_NoFile_NamesItsPathInTheModel()
    {
        var error = LoadError(TestModel.Configure("absent"));
        Assert.Equal(ErrorCode.NotFound, error.Code);
        Assert.Equal("unable to find 'models/absent.onnx' of model 'absent'", error.Message);
    }

    [Fact]
    public void Load_FileOutsideTheVersion_IsRefused()
    {
        var config = TestModel.Configure("simple") with { ModelFilename = "../models/simple.onnx/../../x" };
        Assert.Contains("must name a file inside the version's directory", LoadError(config).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotAModel_SaysWhatOnnxRuntimeSaysWithoutItsPath()
    {
        var message = LoadError(TestModel.Configure("broken")).Message;
        Assert.StartsWith("onnx runtime error 7: Load model from models/broken.onnx failed:", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OutputIsASequence_NamesIt()
        => Assert.Equal("output 'OUT' is a sequence; only dense tensors can be served", LoadError(TestModel.Configure("sequence")).Message);

    [Fact]
    public void Load_ComplexNumbers_AreRefused()
        => Assert.Contains("complex", LoadError(TestModel.Configure("complex")).Message, StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void Load_DataBesideTheModel_AreFound()
    {
        using var model = TestModel.Load("external");
        using var inputs = new TensorSet().With("IN", DataType.Fp32, [3], 1f, 1f, 1f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([2f, 3f, 4f], outputs.Values<float>("OUT"));
    }

    [Fact]
    public void Load_InitializerThatIsAnInput_IsOptional()
    {
        using var model = TestModel.Load("default");
        Assert.Equal("IN", Assert.Single(model.Signature.Inputs).Name);
        Assert.Equal("OFFSET", Assert.Single(model.Signature.OptionalInputs).Name);
    }

    [Fact]
    public void Load_UnknownOutputConfigured_NamesIt()
    {
        var message = new Protocol.ModelConfig { Name = "simple", DefaultModelFilename = "simple.onnx" };
        message.Output.Add(new Protocol.ModelOutput { Name = "NONE", DataType = Protocol.DataType.TypeInt32 });
        Assert.Contains("unexpected inference output 'NONE'", LoadError(ModelConfig.From(message)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("intra_op_thread_count", "1")]
    [InlineData("inter_op_thread_count", "0")]
    [InlineData("execution_mode", "1")]
    [InlineData("execution_mode", "ORT_SEQUENTIAL")]
    [InlineData("graph_optimization_level", "0")]
    [InlineData("enable_mem_arena", "0")]
    [InlineData("enable_mem_pattern", "1")]
    [InlineData("memory.enable_memory_arena_shrinkage", "cpu:0")]
    [InlineData("session.use_device_allocator_for_initializers", "1")]
    [InlineData("session.set_denormal_as_zero", "1")]
    [InlineData("something_else", "anything")]
    public void Load_Parameter_IsTaken(string key, string value)
    {
        using var model = TestModel.Load(TestModel.Configure("simple", (key, value)));
        using var inputs = new TensorSet().With("INPUT0", DataType.Int32, [1, 16], new int[16]).With("INPUT1", DataType.Int32, [1, 16], new int[16]);
        using var outputs = model.Execute(inputs);
        Assert.Equal(new int[16], outputs.Values<int>("OUTPUT0"));
    }

    [Fact]
    public void Load_ShrinksAnArenaThatItHasNot_Runs()
    {
        using var model = TestModel.Load(TestModel.Configure("simple", ("enable_mem_arena", "0"), ("memory.enable_memory_arena_shrinkage", "cpu:0;gpu:0")));
        using var inputs = new TensorSet().With("INPUT0", DataType.Int32, [1, 16], new int[16]).With("INPUT1", DataType.Int32, [1, 16], new int[16]);
        using var outputs = model.Execute(inputs);
        Assert.Equal(new int[16], outputs.Values<int>("OUTPUT0"));
    }

    [Theory]
    [InlineData("intra_op_thread_count", "many", "a whole number from 0 to 1024")]
    [InlineData("inter_op_thread_count", "-1", "a whole number from 0 to 1024")]
    [InlineData("execution_mode", "2", "one of 0, ORT_SEQUENTIAL, 1, ORT_PARALLEL")]
    [InlineData("graph_optimization_level", "3", "one of 0, ORT_DISABLE_ALL, 1, ORT_ENABLE_BASIC, 2, ORT_ENABLE_EXTENDED, 99, ORT_ENABLE_ALL")]
    [InlineData("enable_mem_arena", "yes", "one of 0, false, 1, true")]
    [InlineData("enable_mem_pattern", "", "one of 0, false, 1, true")]
    [InlineData("memory.enable_memory_arena_shrinkage", "cpu", "such as cpu:0, gpu:0 or cpu:0;gpu:0")]
    [InlineData("memory.enable_memory_arena_shrinkage", "cpu:0;gpu:-1", "such as cpu:0, gpu:0 or cpu:0;gpu:0")]
    public void Load_ParameterUnfit_SaysWhatWasExpected(string key, string value, string expected)
    {
        var error = LoadError(TestModel.Configure("simple", (key, value)));
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Equal($"parameter '{key}' of model 'simple' must be {expected}, got '{value}'", error.Message);
    }

    [Fact]
    public void Load_OptimizationLevelUnfit_SaysWhatWasExpected()
    {
        var message = new Protocol.ModelConfig { Name = "simple", DefaultModelFilename = "simple.onnx" };
        message.Optimization = new Protocol.ModelOptimizationPolicy { Graph = new() { Level = 7 } };
        var error = LoadError(ModelConfig.From(message));
        Assert.Equal("optimization.graph.level of model 'simple' must be -1, 0, 1 or 2, got 7", error.Message);
    }

    private static InferenceError LoadError(ModelConfig config)
        => Assert.Throws<InferenceException>(() => TestModel.TryLoad(config)).Error;
}
