using Runtime.Inference;
using Runtime.Tensors;
using static Runtime.Backends.Tests.Torch.TorchTestModel;

namespace Runtime.Backends.Tests.Torch;

public sealed class TorchOutputTests : PoolTest
{
    [TorchFact]
    public void Execute_NestedOutputs_AreFoundByIndicesAndKeys()
    {
        var names = Out("OUTPUT__0") + Out("OUTPUT__1__1") + Out("negated") + Out("OUTPUT__4", "INT64", "1") + Out("OUTPUT__6", "BOOL", "1");
        using var model = TorchTestModel.Load("nested", In("x") + names);
        using var inputs = new TensorSet().With("x", DataType.Fp32, [2], 1f, 2f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([1f, 2f], outputs.Values<float>("OUTPUT__0"));
        Assert.Equal([3f, 4f], outputs.Values<float>("OUTPUT__1__1"));
        Assert.Equal([-1f, -2f], outputs.Values<float>("negated"));
        Assert.Equal([2L], outputs.Values<long>("OUTPUT__4"));
        Assert.Equal([1], outputs.Find("OUTPUT__4")!.Shape);
        Assert.Equal([true], outputs.Values<bool>("OUTPUT__6"));
    }

    [TorchTheory]
    [InlineData("high", "low")]
    [InlineData("OUTPUT__1", "OUTPUT__0")]
    public void Execute_NamedTuple_IsFoundByFieldsAndIndices(string high, string low)
    {
        using var model = TorchTestModel.Load("named", In("x") + Out(high, dims: "1") + Out(low, dims: "1"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [3], 5f, 1f, 9f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([9f], outputs.Values<float>(high));
        Assert.Equal([1f], outputs.Values<float>(low));
    }

    [TorchFact]
    public void Execute_NamesOfOnesOwn_TakeTheOrder()
    {
        using var model = TorchTestModel.Load("add_sub", In("a") + In("b") + Out("total") + Out("difference"));
        using var inputs = new TensorSet().With("a", DataType.Fp32, [1], 3f).With("b", DataType.Fp32, [1], 2f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([5f], outputs.Values<float>("total"));
        Assert.Equal([1f], outputs.Values<float>("difference"));
    }

    [TorchTheory]
    [InlineData("OUTPUT__0", "difference", "some of the names have an index and others do not")]
    [InlineData("OUTPUT__0", "OUTPUT__2", "there is no OUTPUT__2, as it returns 2")]
    [InlineData("OUTPUT__1", "Y__1", "two names have the same index")]
    public void CreateInstance_NamesThatDoNotFit_ShowWhatIsReturned(string first, string second, string reason)
    {
        var error = LoadError("add_sub", In("a") + In("b") + Out(first) + Out(second));
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.StartsWith(
            $"the outputs {first}, {second} of model 'add_sub' do not fit its method forward(INPUT__0: Tensor, INPUT__1: Tensor) -> Tuple[Tensor, Tensor]: {reason}; ",
            error.Message,
            StringComparison.Ordinal);
    }

    [TorchFact]
    public void Execute_KeyThatIsNotReturned_ListsThoseThatAre()
    {
        using var model = TorchTestModel.Load("dicts", In("a") + In("b") + Out("quotient"));
        using var inputs = new TensorSet().With("a", DataType.Fp32, [1], 3f).With("b", DataType.Fp32, [1], 4f);
        var error = model.Fail(inputs);
        Assert.Equal(ErrorCode.Internal, error.Code);
        Assert.Contains("did not return output 'quotient'", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("returned sum, product", error.Message, StringComparison.Ordinal);
    }

    [TorchFact]
    public void Execute_OutputsThatShareMemory_StandAlone()
    {
        var names = Out("OUTPUT__0", dims: "-1, -1") + Out("OUTPUT__1", dims: "-1, -1") + Out("OUTPUT__2") + Out("OUTPUT__3");
        using var model = TorchTestModel.Load("views", In("x", dims: "-1, -1") + names);
        using var inputs = new TensorSet().With("x", DataType.Fp32, [2, 2], 1f, 2f, 3f, 4f);
        using var outputs = model.Execute(inputs);
        inputs.Dispose();
        Assert.Equal([2f, 4f, 6f, 8f], outputs.Values<float>("OUTPUT__0"));
        Assert.Equal([2f, 6f, 4f, 8f], outputs.Values<float>("OUTPUT__1"));
        Assert.Equal([0f, 1f, 2f, 3f], outputs.Values<float>("OUTPUT__2"));
        Assert.Equal([1f, 2f], outputs.Values<float>("OUTPUT__3"));
    }

    [TorchFact]
    public void Execute_LargeOutputs_OutliveTheModelUntilTheLastSliceGoes()
    {
        const int row = 100_000;
        var model = TorchTestModel.Load("identity", "max_batch_size: 4 " + In("x", dims: $"{row}") + Out("OUTPUT__0", dims: $"{row}"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [2, row], [.. Enumerable.Range(0, 2 * row).Select(i => (float)i)]);
        var outputs = model.Execute(inputs);
        inputs.Dispose();
        using var second = outputs.Rows(1, 1);
        outputs.Dispose();
        model.Dispose();
        Assert.Equal(Enumerable.Range(row, row).Select(i => (float)i), second.Values<float>("OUTPUT__0"));
    }

    [TorchFact]
    public void Execute_OtherDatatypeThanConfigured_SaysBoth()
    {
        using var model = TorchTestModel.Load("identity", In("x") + Out("OUTPUT__0", "INT64"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [1], 1f);
        Assert.Equal("output 'OUTPUT__0' of model 'identity' is configured as TYPE_INT64, and forward returned TYPE_FP32", model.Fail(inputs).Message);
    }

    [TorchTheory]
    [InlineData("3")]
    [InlineData("-1, 2")]
    public void Execute_OtherShapeThanConfigured_SaysBoth(string dims)
    {
        using var model = TorchTestModel.Load("identity", In("x") + Out("OUTPUT__0", dims: dims));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [2], 1f, 2f);
        Assert.Equal(
            $"output 'OUTPUT__0' of model 'identity' is configured with the shape [{dims.Replace(" ", "", StringComparison.Ordinal)}], and forward returned [2]",
            model.Fail(inputs).Message);
    }

    [TorchFact]
    public void Execute_ElementsThatNothingServes_AreUnsupported()
    {
        using var model = TorchTestModel.Load("complex", In("x") + Out("OUTPUT__0"));
        using var inputs = new TensorSet().With("x", DataType.Fp32, [1], 1f);
        var error = model.Fail(inputs);
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Contains("Complex", error.Message, StringComparison.Ordinal);
    }
}
