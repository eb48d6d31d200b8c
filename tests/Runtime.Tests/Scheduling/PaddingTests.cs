using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class PaddingTests
{
    private readonly Gate _gate = new();
    private readonly List<string> _batches = [];

    [Fact]
    public async Task InferAsync_LengthsOfOneBucket_ShareABatchAndAreCutBack()
    {
        using var model = Make("pad.buckets=4,8");
        var first = await OccupyAsync(model);
        var second = model.InferAsync(TestModels.Request(1), default).AsTask();
        var third = model.InferAsync(TestModels.Request([2, 3], [2, 3, 4, 5, 6, 7]), default).AsTask();
        _gate.Open(2);
        await first;

        AssertOutput(await second, [1, 1], 2);
        AssertOutput(await third, [2, 3], 3, 4, 5, 6, 7, 8);
        Assert.Equal("[3,4] 1,-9,-9,-9,2,3,4,-9,5,6,7,-9", _batches[1]);
        Assert.Equal(2, model.Statistics.Snapshot().ExecutionCount);
    }

    [Fact]
    public async Task InferAsync_LengthsOfTwoBuckets_DoNotShareABatch()
    {
        using var model = Make("pad.buckets=2,4");
        var first = await OccupyAsync(model);
        var rest = new[] { TestModels.Request(1), TestModels.Request(1, 2, 3), TestModels.Request(4, 5) }.Select(request => model.InferAsync(request, default).AsTask()).ToArray();
        _gate.Open(3);
        await Task.WhenAll([first, .. rest]);

        Assert.Equal(["[2,2] 1,-9,4,5", "[1,4] 1,2,3,-9"], _batches[1..]);
        AssertOutput(await rest[1], [1, 3], 2, 3, 4);
    }

    [Fact]
    public async Task InferAsync_NoBuckets_PadsToTheLongestOfTheBatch()
    {
        using var model = Make();
        var first = await OccupyAsync(model);
        var second = model.InferAsync(TestModels.Request([1, 0], []), default).AsTask();
        var third = model.InferAsync(TestModels.Request(1, 2, 3), default).AsTask();
        _gate.Open(2);
        await first;

        AssertOutput(await second, [1, 0]);
        AssertOutput(await third, [1, 3], 2, 3, 4);
        Assert.Equal(["[1,1] 0", "[2,3] -9,-9,-9,1,2,3"], _batches);
    }

    [Fact]
    public async Task InferAsync_OneRequestWithoutDynamicBatching_IsPaddedToItsBucket()
    {
        using var model = Make(message => message.DynamicBatching = null, "pad.buckets=2,4");
        _gate.Open(2);

        AssertOutput(await model.InferAsync(TestModels.Request(1, 2, 3), default), [1, 3], 2, 3, 4);
        AssertOutput(await model.InferAsync(TestModels.Request(1, 2), default), [1, 2], 2, 3);
        Assert.Equal(["[1,4] 1,2,3,-9", "[1,2] 1,2"], _batches);
    }

    [Fact]
    public async Task InferAsync_ModelWithoutBatchDimension_CountsDimensionsFromTheFirst()
    {
        using var model = Make(message => message.MaxBatchSize = 0, "pad.buckets=4");
        _gate.Open();

        AssertOutput(await model.InferAsync(TestModels.Request([3], [1, 2, 3]), default), [3], 2, 3, 4);
        Assert.Equal(["[4] 1,2,3,-9"], _batches);
    }

    [Fact]
    public async Task InferAsync_LongerThanTheLargestBucket_IsRefused()
    {
        using var model = Make("pad.buckets=2,4");

        var response = await model.InferAsync(TestModels.Request(1, 2, 3, 4, 5), default);

        Assert.Equal(ErrorCode.InvalidArgument, response.Error!.Code);
        Assert.EndsWith("input 'X' of model 'test' has length 5 in its padded dimension, which is more than the largest bucket, 4; its shape is [1,5]", response.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_BucketBeyondATensor_IsRefused()
    {
        using var model = Make("pad.buckets=4000000000000000000");

        var response = await model.InferAsync(TestModels.Request(1), default);

        Assert.Equal(ErrorCode.InvalidArgument, response.Error!.Code);
        Assert.Contains("larger than a tensor may be, [1,4000000000000000000]", response.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_TwoInputsOfOneLength_MustAgreeInEachRequest()
    {
        using var model = Make(AddMask, "pad.MASK.dim=0", "pad.MASK.like=X");
        var first = await OccupyAsync(model, Masked(1));
        var second = model.InferAsync(Masked(2), default).AsTask();
        var third = model.InferAsync(Masked(3), default).AsTask();
        var unequal = TestModels.Request(1, 2);
        TestModels.AddInput(unequal, "MASK", [1, 3], 1, 1, 1);
        var refused = await model.InferAsync(unequal, default);
        _gate.Open(2);
        await first;

        Assert.EndsWith("input 'MASK' of model 'test' must have the length of input 'X', 2, in its padded dimension, got 3", refused.Error!.Message, StringComparison.Ordinal);
        AssertOutput(await second, [1, 2], 8, 8);
        AssertOutput(await third, [1, 3], 8, 8, 8);
        Assert.Equal("[2,3] 7,7,-9,7,7,7", _batches[1]);
    }

    [Fact]
    public async Task InferAsync_InputsOfTheirOwnLengths_ArePaddedEachToItsOwn()
    {
        using var model = Make(AddMask, "pad.MASK.dim=0", "pad.Y.like=X", "pad.buckets=2,4");
        _gate.Open();
        var request = TestModels.Request(1);
        TestModels.AddInput(request, "MASK", [1, 3], 1, 1, 1);

        AssertOutput(await model.InferAsync(request, default), [1, 1], 2);
        Assert.Equal(["[1,2] 1,-9"], _batches);
    }

    [Fact]
    public async Task InferAsync_OutputNotOfThePaddedLength_FailsWithTheParameter()
    {
        using var model = TestModels.Make(
            (inputs, _) =>
            {
                var outputs = new TensorSet();
                outputs.Rent("Y", DataType.Int32, [inputs[0].Shape[0], 1], 4 * inputs[0].Shape[0], out var _);
                return outputs;
            },
            Configure(null, "pad.buckets=4"));

        var response = await model.InferAsync(TestModels.Request(1, 2), default);

        Assert.Equal(ErrorCode.Internal, response.Error!.Code);
        Assert.Contains("gave output 'Y' of shape [1,1], which cannot be cut back: by parameter 'pad.Y.dim' dimension 1 must be as long as input 'X' was padded, 4", response.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InferAsync_OutputThatIsNotCut_GoesToItsRequestAsItIs()
    {
        using var model = TestModels.Make(
            (inputs, cancellation) =>
            {
                _gate.Pass(cancellation);
                var outputs = TestModels.AddOne(inputs, cancellation);
                outputs.Rent("FIRST", DataType.Int32, [inputs[0].Shape[0], 1], 4 * inputs[0].Shape[0], out var memory);
                for (var row = 0; row < inputs[0].Shape[0]; row++)
                {
                    inputs[0].Data.Slice((int)(row * inputs[0].Shape[1] * 4), 4).CopyTo(memory[(row * 4)..]);
                }

                return outputs;
            },
            Configure(message => message.Output.Add(new Protocol.ModelOutput { Name = "FIRST", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } })));
        var first = await OccupyAsync(model);
        var second = model.InferAsync(TestModels.Request(10), default).AsTask();
        var third = model.InferAsync(TestModels.Request(20, 21), default).AsTask();
        _gate.Open(2);
        await first;

        AssertOutput(await second, [1, 1], 11);
        Assert.Equal(10, TestModels.Values(await second, "FIRST").Single());
        AssertOutput(await third, [1, 2], 21, 22);
        Assert.Equal(20, TestModels.Values(await third, "FIRST").Single());
    }

    internal static int[] ReadInts(Tensor tensor) => MemoryMarshal.Cast<byte, int>(tensor.Data.Span).ToArray();

    private static InferenceRequest Masked(int length)
    {
        var request = TestModels.Request([1, length], [.. Enumerable.Repeat(7, length)]);
        TestModels.AddInput(request, "MASK", [1, length], [.. Enumerable.Repeat(1, length)]);
        return request;
    }

    private static void AddMask(Protocol.ModelConfig message)
        => message.Input.Add(new Protocol.ModelInput { Name = "MASK", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });

    internal static void AssertOutput(InferenceResponse response, long[] shape, params int[] values)
    {
        Assert.Null(response.Error);
        Assert.Equal(shape, response.Outputs.Find("Y")!.Shape);
        TestModels.AssertValues(response, values);
    }

    /// <summary>Sends a request that stands at the gate, so that those after it wait together.</summary>
    private async Task<Task> OccupyAsync(Model model, InferenceRequest? request = null)
    {
        var first = model.InferAsync(request ?? TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        return first;
    }

    private Model Make(params string[] parameters) => Make(null, parameters);

    private Model Make(Action<Protocol.ModelConfig>? configure, params string[] parameters) => TestModels.Make(
        (inputs, cancellation) =>
        {
            _batches.Add($"{Shapes.Text(inputs[0].Shape)} {string.Join(',', ReadInts(inputs[0]))}");
            _gate.Pass(cancellation);
            return TestModels.AddOne(inputs, cancellation);
        },
        Configure(configure, parameters));

    /// <summary>X padded with -9 and Y cut back, with dynamic batching, unless told otherwise.</summary>
    internal static Action<Protocol.ModelConfig> Configure(Action<Protocol.ModelConfig>? configure, params string[] parameters) => message =>
    {
        message.DynamicBatching = new Protocol.ModelDynamicBatching();
        foreach (var parameter in (string[])["pad.X.dim=0", "pad.X.value=-9", "pad.Y.dim=0", .. parameters])
        {
            var parts = parameter.Split('=');
            message.Parameters[parts[0]] = new Protocol.ModelParameter { StringValue = parts[1] };
        }

        configure?.Invoke(message);
    };
}
