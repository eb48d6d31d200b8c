using Runtime.Inference;
using Runtime.Tensors;
using Runtime.Torch;
using static Runtime.Backends.Tests.Torch.TorchTestModel;

namespace Runtime.Backends.Tests.Torch;

public sealed class TorchInstanceTests : PoolTest
{
    [TorchTheory]
    [InlineData("BOOL", 1)]
    [InlineData("UINT8", 1)]
    [InlineData("INT8", 1)]
    [InlineData("INT16", 2)]
    [InlineData("INT32", 4)]
    [InlineData("INT64", 8)]
    [InlineData("FP16", 2)]
    [InlineData("BF16", 2)]
    [InlineData("FP32", 4)]
    [InlineData("FP64", 8)]
    public void Execute_EveryDatatypeOfTorch_Passes(string type, int size)
    {
        using var model = TorchTestModel.Load("identity", In("x", type, "-1, 2") + Out("OUTPUT__0", type, "-1, 2"));
        Assert.True(DataTypes.TryParse(type, out var dataType));
        var bytes = Enumerable.Range(0, 6 * size).Select(i => (byte)(i % 2)).ToArray();
        using var inputs = new TensorSet().With("x", dataType, [3, 2], bytes);
        using var outputs = model.Execute(inputs);
        Assert.Equal(dataType, outputs[0].Type);
        Assert.Equal([3, 2], outputs[0].Shape);
        Assert.Equal(bytes, outputs[0].Data.ToArray());
    }

    [TorchFact]
    public void Execute_NoElements_GivesNone()
    {
        using var model = TorchTestModel.Load("identity", In("x") + Out("OUTPUT__0"));
        using var inputs = new TensorSet().With<float>("x", DataType.Fp32, [0]);
        using var outputs = model.Execute(inputs);
        Assert.Equal([0], outputs[0].Shape);
        Assert.Equal(0, outputs[0].Data.Length);
    }

    [TorchFact]
    public void Execute_ScriptThatRaises_AnswersWithItsText()
    {
        using var model = TorchTestModel.Load("raises", In("x") + Out("OUTPUT__0"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [1], 1f);
        var error = model.Fail(inputs);
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.False(error.IsPermanent);
        Assert.StartsWith("PyTorch execute failure: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("the model refuses: größer als erlaubt", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Execute_ShapesThatDoNotGoTogether_FailAndTheNextRuns()
    {
        using var model = TorchTestModel.Load("add_sub", In("INPUT__0") + In("INPUT__1") + Out("OUTPUT__0"));
        using var unequal = new TensorSet().With("INPUT__0", DataType.Fp32, [2], 1f, 2f).With("INPUT__1", DataType.Fp32, [3], 1f, 2f, 3f);
        Assert.Contains("must match the size of tensor b (3)", model.Fail(unequal).Message, StringComparison.Ordinal);
        using var equal = new TensorSet().With("INPUT__0", DataType.Fp32, [1], 1f).With("INPUT__1", DataType.Fp32, [1], 1f);
        using var outputs = model.Execute(equal);
        Assert.Equal([2f], outputs.Values<float>("OUTPUT__0"));
    }

    [TorchFact]
    public void Execute_Cancelled_DoesNotRun()
    {
        using var model = TorchTestModel.Load("identity", In("x") + Out("OUTPUT__0"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [1], 1f);
        Assert.Throws<OperationCanceledException>(() => model.Instance.Execute(inputs, new CancellationToken(canceled: true)));
    }

    [TorchFact]
    public void Prepare_ModelThatFailsOnZeros_IsLoggedOnce()
    {
        var log = new List<string>();
        using var model = TorchTestModel.Load("raises", In("x") + Out("OUTPUT__0"), new TorchOptions { Log = log.Add });
        model.Instance.Prepare();
        Assert.Contains("model 'raises' was not warmed up, as it fails on zeros", Assert.Single(log), StringComparison.Ordinal);
        Assert.Contains("größer als erlaubt", log[0], StringComparison.Ordinal);
    }

    [TorchFact]
    public void Prepare_NoRunsWanted_RunsNothing()
    {
        var log = new List<string>();
        using var model = TorchTestModel.Load("raises", In("x") + Out("OUTPUT__0") + Parameter("warmup_runs", "0"), new TorchOptions { Log = log.Add });
        model.Instance.Prepare();
        Assert.Empty(log);
    }

    [TorchTheory]
    [InlineData(0, 2)]
    [InlineData(5, 5)]
    public void Load_WarmupSample_RunsTwiceAtLeast(int count, int executions)
    {
        using var repository = new TorchRepository();
        repository.Add("identity", In("x") + Out("OUTPUT__0") + $"model_warmup {{ name: 'w' count: {count} inputs {{ key: 'x' value {{ data_type: TYPE_FP32 dims: 4 zero_data: true }} }} }}");
        Assert.Equal("", repository.Load("identity"));
        Assert.Null(repository.Models.TryAcquire("identity", "", out var lease));
        using (lease)
        {
            Assert.Equal(executions, lease.Model.Statistics.Snapshot().ExecutionCount);
        }
    }

    [TorchFact]
    public async Task Execute_TwoInstancesAtOnce_KeepTheirInputsApart()
    {
        using var model = TorchTestModel.Load("cnn", "max_batch_size: 8 " + In("INPUT__0", dims: "3, 32, 32") + Out("OUTPUT__0", dims: "10"));
        using var second = model.CreateInstance();
        await Task.WhenAll(Task.Run(() => RunAlone(model.Instance, 1)), Task.Run(() => RunAlone(second, 2)));
    }

    private static void RunAlone(IModelInstance instance, int seed)
    {
        using var inputs = new TensorSet().With("INPUT__0", DataType.Fp32, [2, 3, 32, 32], RandomValues.Floats(2 * 3 * 32 * 32, seed));
        using var first = instance.Execute(inputs, CancellationToken.None);
        var expected = first.Values<float>("OUTPUT__0");
        for (var run = 0; run < 100; run++)
        {
            using var outputs = instance.Execute(inputs, CancellationToken.None);
            Assert.Equal(expected, outputs.Values<float>("OUTPUT__0"));
        }
    }
}

/// <summary>Numbers that look random and are the same every time.</summary>
internal static class RandomValues
{
    public static float[] Floats(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}
