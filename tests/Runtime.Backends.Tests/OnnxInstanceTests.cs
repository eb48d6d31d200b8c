using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class OnnxInstanceTests : PoolTest
{
    private const int Repetitions = 4;

    [Fact]
    public void Execute_SameShapesAgain_GivesTheAnswersOfEachExecution()
    {
        using var model = TestModel.Load("simple", maxBatchSize: 8);
        for (var i = 0; i < Repetitions; i++)
        {
            AssertAddSub(model.Instance, rows: 2, offset: i);
        }
    }

    [Fact]
    public void Execute_ManyShapesInTurn_GivesTheAnswersOfEachExecution()
    {
        using var model = TestModel.Load("simple", maxBatchSize: 32);
        for (var i = 0; i < Repetitions; i++)
        {
            for (var rows = 1; rows <= 12; rows++)
            {
                AssertAddSub(model.Instance, rows, offset: i);
            }
        }
    }

    [Fact]
    public void Execute_LargeTensors_GivesTheAnswersOfSmallOnes()
    {
        using var model = TestModel.Load("simple", maxBatchSize: 1 << 16);
        for (var i = 0; i < Repetitions; i++)
        {
            AssertAddSub(model.Instance, rows: 1 << 14, offset: i);
        }
    }

    [Fact]
    public void Execute_NoRows_GivesNoRows()
    {
        using var model = TestModel.Load("simple");
        for (var i = 0; i < Repetitions; i++)
        {
            using var inputs = AddSub(0, 0);
            using var outputs = model.Execute(inputs);
            Assert.Equal([0, 16], outputs[0].Shape);
            Assert.Equal(0, outputs[1].Data.Length);
        }
    }

    [Fact]
    public void Execute_InputsInAnotherOrder_MatchesThemByName()
    {
        using var model = TestModel.Load("simple");
        for (var i = 0; i < Repetitions; i++)
        {
            using var straight = AddSub(1, 3);
            using var turned = new TensorSet();
            turned.Add(straight[1]);
            turned.Add(straight[0]);
            using var expected = model.Execute(straight);
            using var actual = model.Execute(turned);
            Assert.Equal(expected.Values<int>("OUTPUT1"), actual.Values<int>("OUTPUT1"));
        }
    }

    [Fact]
    public void Execute_OneOutputConfigured_GivesOnlyThat()
    {
        using var model = TestModel.Load("simple", 8, "OUTPUT1");
        using var inputs = AddSub(1, 0);
        using var outputs = model.Execute(inputs);
        Assert.Equal("OUTPUT1", Assert.Single(outputs.Tensors.ToArray()).Name);
    }

    [Fact]
    public async Task Execute_OnTwoInstancesAtOnce_GivesEachItsAnswers()
    {
        using var model = TestModel.Load("simple", maxBatchSize: 8);
        using var other = model.CreateInstance();
        var executions = new[] { model.Instance, other }.Select((instance, n) => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < 500; i++)
                {
                    AssertAddSub(instance, rows: 1 + (i % 3), offset: (1000 * n) + i);
                }
            },
            TaskCreationOptions.LongRunning));
        await Task.WhenAll(executions);
    }

    [Fact]
    public void Execute_MisalignedInput_GivesTheSameAnswer()
    {
        using var model = TestModel.Load("simple", maxBatchSize: 1 << 16);
        const int rows = 1 << 12;
        using var aligned = AddSub(rows, 5);
        var shifted = new byte[aligned[0].Data.Length + 1];
        aligned[0].Data.CopyTo(shifted.AsMemory(1));
        using var inputs = new TensorSet();
        inputs.Add(aligned[0] with { Data = shifted.AsMemory(1) });
        inputs.Add(aligned[1]);
        using var expected = model.Execute(aligned);
        using var actual = model.Execute(inputs);
        Assert.Equal(expected.Values<int>("OUTPUT0"), actual.Values<int>("OUTPUT0"));
    }

    [Fact]
    public void Execute_DefaultNotGiven_TakesTheFilesValue()
    {
        using var model = TestModel.Load("default");
        for (var i = 0; i < Repetitions; i++)
        {
            using var without = new TensorSet().With("IN", DataType.Fp32, [2], 1f, 2f);
            using var with = new TensorSet().With("IN", DataType.Fp32, [2], 1f, 2f).With("OFFSET", DataType.Fp32, [1], 100f);
            using var defaulted = model.Execute(without);
            using var given = model.Execute(with);
            Assert.Equal([11f, 12f], defaulted.Values<float>("OUT"));
            Assert.Equal([101f, 102f], given.Values<float>("OUT"));
        }
    }

    [Fact]
    public void Execute_CancelledBefore_Throws()
    {
        using var model = TestModel.Load("simple");
        using var inputs = AddSub(1, 0);
        Assert.Throws<OperationCanceledException>(() => model.Instance.Execute(inputs, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task Execute_CancelledWhileRunning_ThrowsAndServesTheNext()
    {
        using var model = TestModel.Load("loop");
        using var cancellation = new CancellationTokenSource();
        using var endless = Loop(long.MaxValue);
        using var started = new ManualResetEventSlim();
        var execution = Task.Factory.StartNew(
            () =>
            {
                started.Set();
                return model.Instance.Execute(endless, cancellation.Token);
            },
            TaskCreationOptions.LongRunning);
        started.Wait();
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => execution);

        using var brief = Loop(3);
        using var outputs = model.Execute(brief);
        Assert.Equal([1f, 2f], outputs.Values<float>("OUT"));
    }

    [Fact]
    public void Execute_DataCannotBeCast_SaysWhatOnnxRuntimeSays()
    {
        using var model = TestModel.Load("cast");
        using var inputs = new TensorSet().With("IN", [1], "x"u8.ToArray());
        var error = Assert.Throws<InferenceException>(() => model.Execute(inputs)).Error;
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.StartsWith("onnx runtime error 6: Non-zero status code returned while running Cast node.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Execute_InputMissing_NamesIt()
    {
        using var model = TestModel.Load("simple");
        using var inputs = new TensorSet().With("INPUT0", DataType.Int32, [1, 16], new int[16]);
        var error = Assert.Throws<InferenceException>(() => model.Execute(inputs)).Error;
        Assert.Equal("input 'INPUT1' of model 'simple' was not given, and the model's file has no value for it", error.Message);
    }

    [Theory]
    [InlineData(DataType.Fp32, 64, "must be INT32, as its file says, got FP32")]
    [InlineData(DataType.Int32, 60, "of shape [1,16] must have 64 bytes, got 60")]
    public void Execute_InputUnfit_SaysWhatWasExpected(DataType type, int bytes, string expected)
    {
        using var model = TestModel.Load("simple");
        using var inputs = new TensorSet().With("INPUT0", type, [1, 16], new byte[bytes]).With("INPUT1", DataType.Int32, [1, 16], new int[16]);
        var error = Assert.Throws<InferenceException>(() => model.Execute(inputs)).Error;
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private static TensorSet Loop(long count)
        => new TensorSet().With("COUNT", DataType.Int64, [], count).With("IN", DataType.Fp32, [2], 1f, 2f);

    private static TensorSet AddSub(int rows, int offset)
    {
        var values = Enumerable.Range(offset, rows * 16).ToArray();
        return new TensorSet()
            .With("INPUT0", DataType.Int32, [rows, 16], values)
            .With("INPUT1", DataType.Int32, [rows, 16], [.. values.Select(value => 2 * value)]);
    }

    private static void AssertAddSub(IModelInstance instance, int rows, int offset)
    {
        using var inputs = AddSub(rows, offset);
        using var outputs = instance.Execute(inputs, CancellationToken.None);
        Assert.Equal([rows, 16], outputs.Find("OUTPUT0")!.Shape);
        Assert.Equal(Enumerable.Range(offset, rows * 16).Select(value => 3 * value), outputs.Values<int>("OUTPUT0"));
        Assert.Equal(Enumerable.Range(offset, rows * 16).Select(value => -value), outputs.Values<int>("OUTPUT1"));
    }
}
