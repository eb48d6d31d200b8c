using System.Collections.Concurrent;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class OrderedReleaseTests
{
    private readonly ConcurrentDictionary<int, Gate> _gates = [];
    private readonly ConcurrentQueue<int> _left = [];

    [Fact]
    public async Task InferAsync_LaterFinishesFirst_LeavesAfterTheEarlier()
    {
        using var model = Make(instances: 2);
        var first = SendAsync(model, 1);
        await GateOf(1).EnteredAsync();
        var second = SendAsync(model, 2);
        var third = SendAsync(model, 3);
        GateOf(2).Open();
        await GateOf(3).EnteredAsync(); // so the second is finished
        GateOf(3).Open();
        var fourth = SendAsync(model, 4);
        await GateOf(4).EnteredAsync();
        GateOf(4).Open();

        Assert.False(second.IsCompleted || third.IsCompleted || fourth.IsCompleted);
        GateOf(1).Open();
        await Task.WhenAll(first, second, third, fourth);
        Assert.Equal([1, 2, 3, 4], _left);
    }

    [Fact]
    public async Task InferAsync_ManyOnThreeInstances_LeaveInTheOrderOfTheirComing()
    {
        using var model = Make(instances: 3);
        var requests = Enumerable.Range(0, 300).Select(value => SendAsync(model, value)).ToArray();
        foreach (var value in Enumerable.Range(0, 300).Reverse())
        {
            GateOf(value).Open();
        }

        await Task.WhenAll(requests);

        Assert.Equal(Enumerable.Range(0, 300), _left);
    }

    [Fact]
    public async Task InferAsync_FailsBehindAnother_LeavesAtOnceAndHoldsNobodyUp()
    {
        using var model = Make(instances: 2);
        var first = SendAsync(model, 1);
        await GateOf(1).EnteredAsync();
        var failing = SendAsync(model, -2);
        GateOf(-2).Open();

        Assert.Equal(ErrorCode.InvalidArgument, await failing);
        GateOf(3).Open();
        var third = SendAsync(model, 3);
        GateOf(1).Open();
        await Task.WhenAll(first, third);
        Assert.Equal([-2, 1, 3], _left);
    }

    [Fact]
    public async Task InferAsync_FirstIsCancelledWhileItRuns_GivesUpItsPlace()
    {
        using var model = Make(instances: 2);
        using var cancellation = new CancellationTokenSource();
        var first = SendAsync(model, 1, cancellation.Token);
        await GateOf(1).EnteredAsync();
        GateOf(2).Open();
        var second = SendAsync(model, 2);
        await cancellation.CancelAsync();

        Assert.Equal(ErrorCode.Cancelled, await first);
        Assert.Null(await second);
    }

    [Fact]
    public async Task InferAsync_RejectedByItsTimeout_GivesUpItsPlace()
    {
        var time = new ManualTime();
        using var model = Make(instances: 1, time);
        var first = SendAsync(model, 1);
        await GateOf(1).EnteredAsync();
        var second = SendAsync(model, 2);
        var third = SendAsync(model, 3);
        time.FireAll();

        Assert.Equal(ErrorCode.Unavailable, await second);
        Assert.Equal(ErrorCode.Unavailable, await third);
        GateOf(1).Open();
        Assert.Null(await first);
    }

    private Gate GateOf(int value) => _gates.GetOrAdd(value, _ => new Gate());

    private async Task<ErrorCode?> SendAsync(Model model, int value, CancellationToken cancellation = default)
    {
        // Of different widths, so that no two share a batch; and past the test's context, which would mix the order up.
        using var request = TestModels.Request(Enumerable.Repeat(value, 1 + Math.Abs(value)).ToArray());
        using var response = await model.InferAsync(request, cancellation).ConfigureAwait(false);
        _left.Enqueue(value);
        return response.Error?.Code;
    }

    private Model Make(int instances, TimeProvider? time = null) => TestModels.Make(
        (inputs, cancellation) =>
        {
            var value = BitConverter.ToInt32(inputs[0].Data.Span);
            GateOf(value).Pass(cancellation);
            return value >= 0 ? TestModels.AddOne(inputs, cancellation) : throw new InferenceException(ErrorCode.InvalidArgument, "no good");
        },
        message =>
        {
            message.InstanceGroup[0].Count = instances;
            message.DynamicBatching = new Protocol.ModelDynamicBatching
            {
                PreserveOrdering = true,
                DefaultQueuePolicy = new Protocol.ModelQueuePolicy { DefaultTimeoutMicroseconds = 1000 },
            };
        },
        time ?? new ManualTime());
}
