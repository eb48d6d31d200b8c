using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class DynamicBatchingTests
{
    private readonly Gate _gate = new();
    private readonly List<string> _shapes = [];

    [Fact]
    public async Task InferAsync_EqualShapesWaiting_ShareABatchAndGetTheirOwnRows()
    {
        using var model = Make();
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var second = model.InferAsync(TestModels.Request(10), default).AsTask();
        var third = model.InferAsync(TestModels.Request([2, 1], [20, 21]), default).AsTask();
        _gate.Open(2);

        TestModels.AssertValues(await first, 1);
        TestModels.AssertValues(await second, 11);
        TestModels.AssertValues(await third, 21, 22);
        Assert.Equal(["[1,1]", "[3,1]"], _shapes);
        Assert.Equal(2, model.Statistics.Snapshot().ExecutionCount);
        Assert.Equal(4, model.Statistics.Snapshot().InferenceCount);
    }

    [Fact]
    public async Task InferAsync_InputsInAnotherOrder_ShareABatchAndKeepTheirData()
    {
        using var model = TestModels.Make(Gated, config =>
        {
            config.Input.Add(new Protocol.ModelInput { Name = "Z", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
            Batching(null)(config);
        });
        var first = model.InferAsync(Pair("X", "Z", 0), default).AsTask();
        await _gate.EnteredAsync();
        var second = model.InferAsync(Pair("X", "Z", 10), default).AsTask();
        var third = model.InferAsync(Pair("Z", "X", 20), default).AsTask();
        _gate.Open(2);

        TestModels.AssertValues(await first, 1);
        TestModels.AssertValues(await second, 11);
        TestModels.AssertValues(await third, 22);
        Assert.Equal(["[1,1]", "[2,1]"], _shapes);
    }

    [Fact]
    public async Task InferAsync_OtherShapeBetween_KeepsItsPlace()
    {
        using var model = Make();
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var narrow = model.InferAsync(TestModels.Request(1), default).AsTask();
        var wide = model.InferAsync(TestModels.Request(2, 3), default).AsTask();
        var narrow2 = model.InferAsync(TestModels.Request(4), default).AsTask();
        _gate.Open(3);
        await Task.WhenAll(first, narrow, wide, narrow2);

        Assert.Equal(["[1,1]", "[2,1]", "[1,2]"], _shapes);
        TestModels.AssertValues(await wide, 3, 4);
    }

    [Fact]
    public async Task InferAsync_PreserveOrdering_StopsAtTheFirstOtherShape()
    {
        using var model = Make(batching => batching.PreserveOrdering = true);
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var rest = new[] { TestModels.Request(1), TestModels.Request(2, 3), TestModels.Request(4) }.Select(request => model.InferAsync(request, default).AsTask()).ToArray();
        _gate.Open(4);
        await Task.WhenAll([first, .. rest]);

        Assert.Equal(["[1,1]", "[1,1]", "[1,2]", "[1,1]"], _shapes);
    }

    [Fact]
    public async Task InferAsync_HigherPriority_GoesFirst()
    {
        using var model = Make(batching => (batching.PriorityLevels, batching.DefaultPriorityLevel) = (2, 2));
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var low = model.InferAsync(TestModels.Request(1, 1), default).AsTask();
        var urgent = TestModels.Request(2, 2, 2);
        urgent.Priority = 1;
        var high = model.InferAsync(urgent, default).AsTask();
        _gate.Open(3);
        await Task.WhenAll(first, low, high);

        Assert.Equal(["[1,1]", "[1,3]", "[1,2]"], _shapes);
    }

    [Fact]
    public async Task InferAsync_QueueFull_IsRefusedAndTheOthersServed()
    {
        using var model = Make(batching => batching.DefaultQueuePolicy = new Protocol.ModelQueuePolicy { MaxQueueSize = 1 });
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var second = model.InferAsync(TestModels.Request(1), default).AsTask();
        var third = await model.InferAsync(TestModels.Request(2), default);
        _gate.Open(2);

        Assert.Equal(ErrorCode.Unavailable, third.Error!.Code);
        Assert.Contains("Exceeds maximum queue size", third.Error.Message, StringComparison.Ordinal);
        Assert.Null((await first).Error);
        Assert.Null((await second).Error);
        Assert.Equal(1, model.Statistics.Snapshot().Failures[(int)FailureReason.Rejected]);
    }

    [Theory]
    [InlineData(Protocol.ModelQueuePolicy.Types.TimeoutAction.Reject)]
    [InlineData(Protocol.ModelQueuePolicy.Types.TimeoutAction.Delay)]
    public async Task InferAsync_WaitedTooLong_IsRejectedOrServedLast(Protocol.ModelQueuePolicy.Types.TimeoutAction action)
    {
        var time = new ManualTime();
        using var model = Make(batching => batching.DefaultQueuePolicy = new Protocol.ModelQueuePolicy { TimeoutAction = action, AllowTimeoutOverride = true }, time);
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var hurried = TestModels.Request(1, 1);
        hurried.TimeoutMicroseconds = 1000;
        var second = model.InferAsync(hurried, default).AsTask();
        var third = model.InferAsync(TestModels.Request(2, 2, 2), default).AsTask();
        time.FireAll();
        _gate.Open(3);
        await Task.WhenAll(first, second, third);

        var isRejected = action == Protocol.ModelQueuePolicy.Types.TimeoutAction.Reject;
        Assert.Equal(isRejected ? ErrorCode.Unavailable : null, (await second).Error?.Code);
        Assert.Equal(isRejected ? ["[1,1]", "[1,3]"] : ["[1,1]", "[1,3]", "[1,2]"], _shapes);
    }

    [Fact]
    public async Task InferAsync_CancelledWhileWaiting_LeavesAtOnce()
    {
        using var model = Make();
        using var cancellation = new CancellationTokenSource();
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var second = model.InferAsync(TestModels.Request(1), cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        Assert.Equal(ErrorCode.Cancelled, (await second).Error!.Code);
        Assert.Equal(0, model.Statistics.Pending);
        _gate.Open();
        Assert.Null((await first).Error);
        Assert.Equal(1, model.Statistics.Snapshot().Failures[(int)FailureReason.Canceled]);
    }

    [Fact]
    public async Task InferAsync_ExecutionFails_EveryRequestOfTheBatchHearsItAndNoneThatItIsToBlame()
    {
        using var model = TestModels.Make((_, _) => { _gate.Pass(); throw new InferenceException(ErrorCode.InvalidArgument, "no good"); }, Batching(null));
        var alone = model.InferAsync(TestModels.Request(0), default);
        await _gate.EnteredAsync();
        var requests = Enumerable.Range(0, 3).Select(i => model.InferAsync(TestModels.Request(i), default).AsTask()).ToArray();
        _gate.Open(2);

        Assert.Equal(new InferenceError(ErrorCode.InvalidArgument, "no good"), (await alone).Error);
        foreach (var response in await Task.WhenAll(requests))
        {
            Assert.Equal(new InferenceError(ErrorCode.Internal, "the execution of a batch of 3 requests failed: no good"), response.Error);
        }
    }

    [Fact]
    public async Task Dispose_RequestsWaiting_AreServedAndLaterOnesRefused()
    {
        var model = Make();
        var first = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var second = model.InferAsync(TestModels.Request(1), default).AsTask();
        _gate.Open(2);
        model.Dispose();

        Assert.Null((await first).Error);
        Assert.Null((await second).Error);
        Assert.Equal(ErrorCode.Unavailable, (await model.InferAsync(TestModels.Request(2), default)).Error!.Code);
    }

    private static Action<Protocol.ModelConfig> Batching(Action<Protocol.ModelDynamicBatching>? configure) => message =>
    {
        message.DynamicBatching = new Protocol.ModelDynamicBatching();
        configure?.Invoke(message.DynamicBatching);
    };

    /// <summary>The first input has the value, the second the next.</summary>
    private static InferenceRequest Pair(string first, string second, int value)
    {
        var request = TestModels.Request([1, 1], [value], first);
        TestModels.AddInput(request, second, [1, 1], value + 1);
        return request;
    }

    private Model Make(Action<Protocol.ModelDynamicBatching>? configure = null, TimeProvider? time = null) => TestModels.Make(Gated, Batching(configure), time);

    private TensorSet Gated(TensorSet inputs, CancellationToken cancellation)
    {
        _shapes.Add(Shapes.Text(inputs[0].Shape));
        _gate.Pass();
        return TestModels.AddOne(inputs, cancellation);
    }
}
