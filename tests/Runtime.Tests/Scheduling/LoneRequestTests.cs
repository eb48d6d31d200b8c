using System.Diagnostics;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class LoneRequestTests
{
    private readonly Gate _gate = new();
    private TimeSpan _cost;
    private bool _isGated;
    private Thread? _executing;

    [Fact]
    public async Task InferAsync_AloneAndCheap_ExecutesOnTheCallersThread()
    {
        using var model = Make();

        Assert.True(await ExecutesHereAsync(model));
    }

    [Theory]
    [InlineData(false, 0u)]
    [InlineData(true, 200u)]
    public async Task InferAsync_InstanceNeedsItsThreadOrRequestsWaitForCompany_NeverExecutesOnTheCallersThread(bool runsOnAnyThread, uint delay)
    {
        using var model = Make(runsOnAnyThread, config => config.DynamicBatching = new() { MaxQueueDelayMicroseconds = delay });

        Assert.False(await ExecutesHereAsync(model));
    }

    [Fact]
    public async Task InferAsync_OrderIsPreserved_NeverExecutesOnTheCallersThread()
    {
        using var model = Make(configure: config => config.DynamicBatching = new() { PreserveOrdering = true });

        Assert.False(await ExecutesHereAsync(model));
    }

    [Fact]
    public async Task InferAsync_LargerThanTheLast_ExecutesOnTheInstancesThread()
    {
        using var model = Make();
        Assert.True(await ExecutesHereAsync(model));

        using var response = await model.InferAsync(TestModels.Request(1, 2, 3), default);

        TestModels.AssertValues(response, 2, 3, 4);
        Assert.False(_executing!.IsThreadPoolThread);
    }

    [Fact]
    public async Task InferAsync_JustAfterAnExpensiveExecution_ExecutesOnTheInstancesThread()
    {
        using var model = Make();
        Assert.True(await ExecutesHereAsync(model));
        _cost = TimeSpan.FromMilliseconds(10);
        using var expensive = await model.InferAsync(TestModels.Request(1), default);
        _cost = TimeSpan.Zero;

        using var next = await model.InferAsync(TestModels.Request(1), default);
        using var afterThat = await model.InferAsync(TestModels.Request(1), default);

        Assert.False(_executing!.IsThreadPoolThread);
        Assert.True(await ExecutesHereAsync(model));
    }

    [Fact]
    public async Task InferAsync_LastExecutionWasExpensive_ExecutesOnTheInstancesThread()
    {
        using var model = Make();
        _cost = TimeSpan.FromMilliseconds(1);

        Assert.False(await ExecutesHereAsync(model));
    }

    [Fact]
    public async Task InferAsync_WhileTheCallersThreadExecutes_WaitsForItsTurn()
    {
        using var model = Make();
        Assert.True(await ExecutesHereAsync(model));
        _isGated = true;
        var first = Task.Run(() => model.InferAsync(TestModels.Request(1), default).AsTask());
        await _gate.EnteredAsync();

        var second = model.InferAsync(TestModels.Request(2), default).AsTask();
        Assert.False(second.IsCompleted);
        _gate.Open(2);

        TestModels.AssertValues(await first, 2); // that they take turns is what the instance asserts
        TestModels.AssertValues(await second, 3);
    }

    [Fact]
    public async Task InferAsync_FailsOrIsCancelledOnTheCallersThread_IsAnsweredAndTheNextServed()
    {
        using var model = Make();
        Assert.True(await ExecutesHereAsync(model));

        using var failed = await model.InferAsync(TestModels.Request(-1), default);
        using var cancelled = await model.InferAsync(TestModels.Request(1), new CancellationToken(canceled: true));

        Assert.Contains("negative", failed.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.Cancelled, cancelled.Error!.Code);
        Assert.True(await ExecutesHereAsync(model));
        var counts = model.Statistics.Snapshot();
        Assert.Equal((1, 1), (counts.Failures[(int)FailureReason.Backend], counts.Failures[(int)FailureReason.Canceled]));
        Assert.Equal(0, model.Statistics.Pending);
    }

    [Fact]
    public async Task InferAsync_AfterDispose_IsRefused()
    {
        using var model = Make();
        Assert.True(await ExecutesHereAsync(model));
        model.Dispose();

        using var response = await model.InferAsync(TestModels.Request(1), default);

        Assert.Equal(ErrorCode.Unavailable, response.Error!.Code);
    }

    /// <summary>Whether the caller's thread executes one of many requests; one may find the last execution slow on a busy machine.</summary>
    private async Task<bool> ExecutesHereAsync(Model model)
    {
        for (var i = 0; i < 1000; i++)
        {
            using var request = TestModels.Request(1);
            var caller = Thread.CurrentThread;
            using var response = await model.InferAsync(request, default);
            TestModels.AssertValues(response, 2);
            if (_executing == caller)
            {
                return true;
            }
        }

        return false;
    }

    private Model Make(bool runsOnAnyThread = true, Action<Protocol.ModelConfig>? configure = null) => TestModels.Make(
        (inputs, cancellation) =>
        {
            _executing = Thread.CurrentThread;
            cancellation.ThrowIfCancellationRequested();
            if (_isGated)
            {
                _gate.Pass(cancellation);
            }

            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start) < _cost)
            {
                Thread.SpinWait(10);
            }

            var outputs = TestModels.AddOne(inputs, cancellation);
            if (System.Runtime.InteropServices.MemoryMarshal.Read<int>(inputs[0].Data.Span) >= 0)
            {
                return outputs;
            }

            outputs.Dispose();
            throw new InferenceException(ErrorCode.InvalidArgument, "a negative input");
        },
        configure,
        runsOnAnyThread: runsOnAnyThread);
}
