using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class OnnxShapesTests : PoolTest
{
    private const int Repetitions = 4;

    [Theory]
    [InlineData("nonzero")]
    [InlineData("nonzero_misdeclared")]
    public void Execute_ShapeDependsOnData_GivesTheShapeOfEachExecution(string name)
    {
        using var model = TestModel.Load(name);
        for (var found = 0; found <= 3; found++)
        {
            using var inputs = new TensorSet().With("IN", DataType.Fp32, [3], [.. Enumerable.Range(0, 3).Select(i => i < found ? 1f : 0f)]);
            using var outputs = model.Execute(inputs);
            Assert.Equal([1, found], outputs[0].Shape);
            Assert.Equal(Enumerable.Range(0, found).Select(i => (long)i), outputs.Values<long>("OUT"));
        }
    }

    [Fact]
    public void Execute_LargeOutputOfUnknownShape_OutlivesTheInputs()
    {
        const int count = 100_000;
        using var model = TestModel.Load("nonzero");
        var inputs = new TensorSet().With("IN", DataType.Fp32, [count], [.. Enumerable.Repeat(1f, count)]);
        using var outputs = model.Execute(inputs);
        inputs.Dispose();
        Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), outputs.Values<long>("OUT"));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100_000)]
    public void Execute_InputIsAnOutputToo_GivesACopy(int count)
    {
        using var model = TestModel.Load("pass_through");
        for (var i = 0; i < Repetitions; i++)
        {
            var values = Enumerable.Range(i, count).Select(value => (float)value).ToArray();
            var inputs = new TensorSet().With("BOTH", DataType.Fp32, [count], values);
            using var outputs = model.Execute(inputs);
            inputs.Dispose();
            using var overwriting = new TensorSet().With("OTHER", DataType.Fp32, [count], new float[count]);
            Assert.Equal(values, outputs.Values<float>("BOTH"));
            Assert.Equal(values.Select(value => -value), outputs.Values<float>("NEGATED"));
        }
    }

    [Fact]
    public void Execute_Scalar_TakesAndGivesOneElement()
    {
        using var model = TestModel.Load("scalar");
        for (var i = 0; i < Repetitions; i++)
        {
            using var inputs = new TensorSet().With("IN", DataType.Fp32, [], 2.5f);
            using var outputs = model.Execute(inputs);
            Assert.Empty(outputs[0].Shape);
            Assert.Equal([-2.5f], outputs.Values<float>("OUT"));
        }
    }

    [Fact]
    public void Execute_ScalarConfiguredAsOneElement_KeepsThatShape()
    {
        using var model = TestModel.Load("scalar");
        var one = model.Config with
        {
            Inputs = [model.Config.Inputs[0] with { Dims = [1] }],
            Outputs = [model.Config.Outputs[0] with { Dims = [1] }],
        };
        using var instance = model.CreateInstance(one);
        for (var i = 0; i < Repetitions; i++)
        {
            using var inputs = new TensorSet().With("IN", DataType.Fp32, [1], 2.5f);
            using var outputs = instance.Execute(inputs, CancellationToken.None);
            Assert.Equal([1], outputs[0].Shape);
        }
    }

    [Fact]
    public void Execute_FixedDimensionOfZero_IsVariableInTheSignature()
    {
        using var model = TestModel.Load("empty");
        Assert.Equal([3, -1], model.Signature.Inputs[0].Shape);
        for (var i = 0; i < Repetitions; i++)
        {
            using var inputs = new TensorSet().With<float>("IN", DataType.Fp32, [3, 0]);
            using var outputs = model.Execute(inputs);
            Assert.Equal([3, 0], outputs[0].Shape);
        }
    }
}
