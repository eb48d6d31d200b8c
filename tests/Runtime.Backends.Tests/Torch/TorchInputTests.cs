using Runtime.Inference;
using Runtime.Tensors;
using static Runtime.Backends.Tests.Torch.TorchTestModel;

namespace Runtime.Backends.Tests.Torch;

public sealed class TorchInputTests : PoolTest
{
    private const string AddSub = "forward(INPUT__0: Tensor, INPUT__1: Tensor) -> Tuple[Tensor, Tensor]";

    [TorchTheory]
    [InlineData("INPUT__0", "INPUT__1", 1f)]
    [InlineData("x__1", "x__0", -1f)]
    [InlineData("first", "second", 1f)]
    public void Execute_NamesOrIndicesOrOrder_ReachTheirArguments(string three, string two, float difference)
    {
        using var model = TorchTestModel.Load("add_sub", In(three) + In(two) + Out("OUTPUT__0") + Out("OUTPUT__1"));
        using var inputs = new TensorSet().With(two, DataType.Fp32, [1], 2f).With(three, DataType.Fp32, [1], 3f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([5f], outputs.Values<float>("OUTPUT__0"));
        Assert.Equal([difference], outputs.Values<float>("OUTPUT__1"));
    }

    [TorchTheory]
    [InlineData("INPUT__0", "other", "some of the names are arguments or indices and others are not")]
    [InlineData("a__0", "a__2", "input 'a__2' would be argument 2, and there are 2")]
    [InlineData("a__1", "b__1", "argument 'INPUT__0' gets no input")]
    public void CreateInstance_NamesThatDoNotFit_ShowTheArguments(string first, string second, string reason)
    {
        var error = LoadError("add_sub", In(first) + In(second) + Out("OUTPUT__0"));
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Equal(
            $"the inputs {first}, {second} of model 'add_sub' do not fit its method {AddSub}: {reason}; "
            + "name them after the arguments (INPUT__0, INPUT__1) or by index (INPUT__0, INPUT__1)",
            error.Message);
    }

    [TorchFact]
    public void CreateInstance_ArgumentThatIsNoTensor_IsRefused()
        => Assert.Contains(
            "argument 'scale' is no tensor, so that no input can be given to it",
            LoadError("masked", In("x") + In("scale") + Out("OUTPUT__0")).Message,
            StringComparison.Ordinal);

    [TorchFact]
    public void CreateInstance_OptionalInputOfARequiredArgument_IsRefused()
        => Assert.Contains(
            "input 'INPUT__1' is optional, and argument 'INPUT__1' must be given",
            LoadError("add_sub", In("INPUT__0") + In("INPUT__1").Replace("dims", "optional: true dims", StringComparison.Ordinal) + Out("OUTPUT__0")).Message,
            StringComparison.Ordinal);

    [TorchFact]
    public void Execute_ArgumentsWithDefaults_MayBeLeftAway()
    {
        using var model = TorchTestModel.Load("masked", In("x") + In("mask").Replace("dims", "optional: true dims", StringComparison.Ordinal) + Out("OUTPUT__0"));
        using var without = new TensorSet().With("x", DataType.Fp32, [2], 1f, 2f);
        using var plain = model.Execute(without);
        Assert.Equal([2f, 4f], plain.Values<float>("OUTPUT__0"));

        using var with = new TensorSet().With("x", DataType.Fp32, [2], 1f, 2f).With("mask", DataType.Fp32, [2], 0f, 1f);
        using var masked = model.Execute(with);
        Assert.Equal([0f, 4f], masked.Values<float>("OUTPUT__0"));
    }

    [TorchFact]
    public void Execute_List_TakesInputsByTheirIndices()
    {
        using var model = TorchTestModel.Load("lists", In("part__1") + In("part__0") + Out("OUTPUT__0") + Out("OUTPUT__1"));
        using var inputs = new TensorSet().With("part__1", DataType.Fp32, [1], 1f).With("part__0", DataType.Fp32, [2], 2f, 3f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([4f, 6f], outputs.Values<float>("OUTPUT__0"));
        Assert.Equal([2f], outputs.Values<float>("OUTPUT__1"));
    }

    [TorchFact]
    public void CreateInstance_ListWithAGap_IsRefused()
        => Assert.Contains(
            "the indices of a list's inputs must be 0 to 1, each once",
            LoadError("lists", In("part__0") + In("part__2") + Out("OUTPUT__0")).Message,
            StringComparison.Ordinal);

    [TorchFact]
    public void Execute_Dictionary_TakesInputsByTheirNames()
    {
        using var model = TorchTestModel.Load("dicts", In("b") + In("a") + Out("product") + Out("sum"));
        using var inputs = new TensorSet().With("a", DataType.Fp32, [1], 3f).With("b", DataType.Fp32, [1], 4f);
        using var outputs = model.Execute(inputs);
        Assert.Equal([7f], outputs.Values<float>("sum"));
        Assert.Equal([12f], outputs.Values<float>("product"));
    }

    [TorchFact]
    public void Execute_Strings_PassBothWays()
    {
        using var model = TorchTestModel.Load("strings", In("texts", "STRING") + Out("OUTPUT__0", "STRING") + Out("OUTPUT__1", "INT64"));
        using var inputs = new TensorSet().With("texts", [3], "abc"u8.ToArray(), [], "x y"u8.ToArray());
        using var outputs = model.Execute(inputs);
        using var expected = new TensorSet().With("OUTPUT__0", [3], "ABC"u8.ToArray(), [], "X Y"u8.ToArray());
        Assert.Equal(expected[0].Data.ToArray(), outputs[0].Data.ToArray());
        Assert.Equal([3], outputs[0].Shape);
        Assert.Equal([3L, 0L, 3L], outputs.Values<long>("OUTPUT__1"));
    }

    [TorchFact]
    public void CreateInstance_StringsForATensor_AreRefused()
        => Assert.Contains(
            "input 'x' is TYPE_STRING, which only an argument List[str] takes",
            LoadError("identity", In("x", "STRING") + Out("OUTPUT__0")).Message,
            StringComparison.Ordinal);

    [TorchFact]
    public void CreateInstance_DatatypeThatTorchLacks_IsUnsupported()
    {
        var error = LoadError("identity", In("x", "UINT32") + Out("OUTPUT__0"));
        Assert.Equal(ErrorCode.Unsupported, error.Code);
        Assert.Equal("input 'x' of model 'identity' is TYPE_UINT32, which torch has no tensors of", error.Message);
    }

    [TorchFact]
    public void Execute_UnfitInputs_AreRefusedBeforeLibtorchSeesThem()
    {
        using var model = TorchTestModel.Load("identity", In("x") + Out("OUTPUT__0"));
        using var otherType = new TensorSet().With("x", DataType.Int32, [1], 1);
        Assert.Equal("inference input 'x' for model 'identity' must be FP32, as configured, got INT32", model.Fail(otherType).Message);
        using var otherSize = new TensorSet().With("x", DataType.Fp32, [3], 1f);
        Assert.Equal("inference input 'x' for model 'identity' of shape [3] must have 12 bytes, got 4", model.Fail(otherSize).Message);
        using var otherName = new TensorSet().With("y", DataType.Fp32, [1], 1f);
        Assert.Equal("input 'x' of model 'identity' was not given", model.Fail(otherName).Message);
        using var oneMore = new TensorSet().With("x", DataType.Fp32, [1], 1f).With("y", DataType.Fp32, [1], 1f);
        Assert.Equal("unexpected inference input 'y' for model 'identity'", model.Fail(oneMore).Message);
    }

    [TorchFact]
    public void Execute_StringsCutShort_AreRefused()
    {
        using var model = TorchTestModel.Load("strings", In("texts", "STRING") + Out("OUTPUT__0", "STRING"));
        using var inputs = new TensorSet().With<byte>("texts", DataType.Bytes, [1], 5, 0, 0, 0, 65);
        Assert.Equal("inference input 'texts' for model 'strings' does not hold 1 strings", model.Fail(inputs).Message);
    }
}
