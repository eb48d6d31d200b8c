using Runtime.Inference;
using Runtime.Tensors;
using static Runtime.Backends.Tests.Torch.TorchTestModel;

namespace Runtime.Backends.Tests.Torch;

public sealed class TorchBackendTests : PoolTest
{
    private static readonly string Sums = In("INPUT__0") + In("INPUT__1") + Out("OUTPUT__0") + Out("OUTPUT__1");

    [TorchFact]
    public void Load_NoFile_NamesItsPathInTheModel()
    {
        var error = LoadError("absent", Sums);
        Assert.Equal(ErrorCode.NotFound, error.Code);
        Assert.Equal("unable to find 'torch/absent.pt' of model 'absent'", error.Message);
    }

    [TorchFact]
    public void Load_NotAnArchive_SaysWhatLibtorchSays()
    {
        var error = LoadError("broken", Sums);
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.StartsWith("failed to load 'torch/broken.pt' of model 'broken': ", error.Message, StringComparison.Ordinal);
        Assert.Contains("zip archive", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(TorchTestModel.Directory, error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Load_NoOutputsConfigured_ShowsAnExample()
    {
        var message = LoadError("add_sub", In("INPUT__0") + In("INPUT__1")).Message;
        Assert.StartsWith("model 'add_sub' must list its inputs and outputs in config.pbtxt", message, StringComparison.Ordinal);
        Assert.Contains("name: \"OUTPUT__0\" data_type: TYPE_FP32", message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Load_GpuThatIsNotThere_NamesTheGroup()
    {
        using var repository = new TorchRepository();
        repository.Add("add_sub", Sums + "instance_group { kind: KIND_GPU gpus: [ 99 ] } ");
        Assert.Contains("instance group add_sub_0 of model add_sub ", repository.Load("add_sub"), StringComparison.Ordinal);
    }

    [TorchFact]
    public void Gpus_NoneThere_SayWhy()
    {
        var gpus = new Runtime.Torch.TorchBackend().Gpus;
        Assert.Equal(gpus.Numbers.Count > 0, gpus.WhyNone.Length == 0);
    }

    [TorchTheory]
    [InlineData("DISABLE_OPTIMIZED_EXECUTION", "true")]
    [InlineData("INFERENCE_MODE", "false")]
    [InlineData("ENABLE_WEIGHT_SHARING", "False")]
    [InlineData("ENABLE_CACHE_CLEANING", "1")]
    [InlineData("INTRA_OP_THREAD_COUNT", "1")]
    [InlineData("ENABLE_JIT_EXECUTOR", "true")]
    [InlineData("ENABLE_JIT_PROFILING", "true")]
    [InlineData("ENABLE_TENSOR_FUSER", "true")]
    [InlineData("freeze", "true")]
    [InlineData("optimize_for_inference", "true")]
    [InlineData("warmup_runs", "0")]
    [InlineData("something_else", "anything")]
    public void Load_Parameter_IsTaken(string key, string value)
    {
        using var model = TorchTestModel.Load("add_sub", Sums + Parameter(key, value));
        using var second = model.CreateInstance();
        using var inputs = new TensorSet().With("INPUT__0", DataType.Fp32, [2], 3f, 4f).With("INPUT__1", DataType.Fp32, [2], 1f, 1f);
        using var outputs = model.Execute(inputs);
        using var others = second.Execute(inputs, CancellationToken.None);
        Assert.Equal([4f, 5f], outputs.Values<float>("OUTPUT__0"));
        Assert.Equal([2f, 3f], others.Values<float>("OUTPUT__1"));
    }

    [TorchTheory]
    [InlineData("INFERENCE_MODE", "yes", "one of 0, false, 1, true")]
    [InlineData("ENABLE_TENSOR_FUSER", "", "one of 0, false, 1, true")]
    [InlineData("INTRA_OP_THREAD_COUNT", "-1", "a whole number from 0 to 1024")]
    [InlineData("INTER_OP_THREAD_COUNT", "many", "a whole number from 0 to 1024")]
    [InlineData("warmup_runs", "1000", "a whole number from 0 to 100")]
    public void Load_ParameterUnfit_SaysWhatWasExpected(string key, string value, string expected)
    {
        var error = LoadError("add_sub", Sums + Parameter(key, value));
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Equal($"parameter '{key}' of model 'add_sub' must be {expected}, got '{value}'", error.Message);
    }

    [TorchFact]
    public void Load_Method_IsRunInsteadOfForward()
    {
        using var model = TorchTestModel.Load("two_methods", In("x", dims: "-1, 4") + Out("OUTPUT__0", dims: "-1, 2") + Parameter("method", "encode") + Parameter("freeze", "true"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [3, 4], new float[12]);
        using var outputs = model.Execute(inputs);
        Assert.Equal([3, 2], outputs[0].Shape);
    }

    [TorchFact]
    public void Load_UnknownMethod_ListsThoseThereAre()
    {
        var error = LoadError("two_methods", In("x") + Out("OUTPUT__0") + Parameter("method", "decode"));
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Contains("'decode'", error.Message, StringComparison.Ordinal);
        Assert.Contains("encode", error.Message, StringComparison.Ordinal);
        Assert.Contains("forward", error.Message, StringComparison.Ordinal);
    }
}
