using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;
using DelayOrReject = Runtime.Protocol.ModelQueuePolicy.Types.TimeoutAction;

namespace Runtime.Tests.Scheduling;

public class QueueLimitTests
{
    private readonly Gate _gate = new();

    [Theory]
    [InlineData(0, 2, 2)]
    [InlineData(3, 2, 3)]
    [InlineData(0, 0, 9)]
    public async Task InferAsync_QueueAtItsLimit_RefusesTheNext(uint policy, int limit, int expected)
    {
        using var model = Make(batching => batching.DefaultQueuePolicy = policy == 0 ? null : new Protocol.ModelQueuePolicy { MaxQueueSize = policy }, limit);
        var running = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var rest = Enumerable.Range(0, 9).Select(_ => model.InferAsync(TestModels.Request(1), default).AsTask()).ToArray();
        _gate.Open(10);

        var answers = await Task.WhenAll(rest);
        Assert.Equal(expected, answers.Count(answer => answer.Error is null));
        Assert.All(answers.Skip(expected), answer => Assert.Equal(ErrorCode.Unavailable, answer.Error!.Code));
        Assert.Null((await running).Error);
        Assert.Equal(9 - expected, model.Statistics.Snapshot().Failures[(int)FailureReason.Rejected]);
    }

    [Fact]
    public async Task InferAsync_ModelWithoutBatching_HasTheDefaultLimit()
    {
        using var model = TestModels.Make(Pass, limits: new ModelLimits { MaxQueueSize = 1 });
        var running = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var waiting = model.InferAsync(TestModels.Request(1), default).AsTask();

        Assert.Contains("Exceeds maximum queue size: 1 ", (await model.InferAsync(TestModels.Request(2), default)).Error!.Message, StringComparison.Ordinal);
        _gate.Open(2);
        Assert.Null((await running).Error);
        Assert.Null((await waiting).Error);
    }

    [Fact]
    public async Task InferAsync_DelayedRequestsAtTheLimit_AreRejected()
    {
        var time = new ManualTime();
        using var model = Make(batching => batching.DefaultQueuePolicy = new Protocol.ModelQueuePolicy { TimeoutAction = DelayOrReject.Delay, DefaultTimeoutMicroseconds = 1000 }, 1, time);
        var running = model.InferAsync(TestModels.Request(0), default).AsTask();
        await _gate.EnteredAsync();
        var first = model.InferAsync(TestModels.Request(1), default).AsTask();
        time.FireAll();
        var second = model.InferAsync(TestModels.Request(2), default).AsTask();
        time.FireAll();

        Assert.Equal(ErrorCode.Unavailable, (await second).Error!.Code);
        _gate.Open(2);
        Assert.Null((await first).Error);
        Assert.Null((await running).Error);
    }

    [Fact]
    public async Task InferAsync_BacklogOfASequenceAtTheLimit_RefusesTheNext()
    {
        using var model = OfSequences(limit: 1);
        var running = model.InferAsync(OfSequence(isStart: true), default).AsTask();
        await _gate.EnteredAsync();
        var waiting = model.InferAsync(OfSequence(isStart: false), default).AsTask();

        Assert.Equal(ErrorCode.Unavailable, (await model.InferAsync(OfSequence(isStart: false), default)).Error!.Code);
        _gate.Open(2);
        Assert.Null((await running).Error);
        Assert.Null((await waiting).Error);
    }

    [Fact]
    public async Task InferAsync_BacklogOfASequence_IsPendingUntilItLeaves()
    {
        using var model = OfSequences();
        using var leaving = new CancellationTokenSource();
        var running = model.InferAsync(OfSequence(isStart: true), default).AsTask();
        await _gate.EnteredAsync();
        var waiting = model.InferAsync(OfSequence(isStart: false), default).AsTask();
        var cancelled = model.InferAsync(OfSequence(isStart: false), leaving.Token).AsTask();

        Assert.Equal(2, model.Statistics.Snapshot().Pending);
        await leaving.CancelAsync();
        Assert.Equal(ErrorCode.Cancelled, (await cancelled).Error!.Code);
        Assert.Equal(1, model.Statistics.Snapshot().Pending);
        _gate.Open(2);
        Assert.Null((await running).Error);
        Assert.Null((await waiting).Error);
        Assert.Equal(0, model.Statistics.Snapshot().Pending);
    }

    [Fact]
    public async Task InferAsync_EndOfASequenceMeetsAFullQueue_CanBeSentAgain()
    {
        using var model = OfSequences(limit: 1);
        _gate.Open();
        Assert.Null((await model.InferAsync(OfSequence(isStart: true), default)).Error);
        await _gate.EnteredAsync();
        var running = model.InferAsync(OfSequence(isStart: true, sequence: 8), default).AsTask();
        await _gate.EnteredAsync();
        var waiting = model.InferAsync(OfSequence(isStart: true, sequence: 9), default).AsTask();

        Assert.Equal(ErrorCode.Unavailable, (await model.InferAsync(OfSequence(isStart: false, isEnd: true), default)).Error!.Code);
        _gate.Open(3);
        Assert.Null((await running).Error);
        Assert.Null((await waiting).Error);
        Assert.Null((await model.InferAsync(OfSequence(isStart: false, isEnd: true), default)).Error);
    }

    [Fact]
    public async Task InferAsync_EndOfASequenceIsCancelledInItsBacklog_CanBeSentAgain()
    {
        using var model = OfSequences();
        using var leaving = new CancellationTokenSource();
        var running = model.InferAsync(OfSequence(isStart: true), default).AsTask();
        await _gate.EnteredAsync();
        var cancelled = model.InferAsync(OfSequence(isStart: false, isEnd: true), leaving.Token).AsTask();
        await leaving.CancelAsync();
        Assert.Equal(ErrorCode.Cancelled, (await cancelled).Error!.Code);

        var again = model.InferAsync(OfSequence(isStart: false, isEnd: true), default).AsTask();
        _gate.Open(2);
        Assert.Null((await running).Error);
        Assert.Null((await again).Error);
    }

    /// <summary>Its sequences may idle for an hour, so that a machine that stands still between two requests loses none.</summary>
    private Model OfSequences(int? limit = null) => TestModels.Make(
        Pass,
        config => config.SequenceBatching = new Protocol.ModelSequenceBatching { MaxSequenceIdleMicroseconds = 3_600_000_000 },
        limits: limit is { } most ? new ModelLimits { MaxQueueSize = most } : null);

    private static InferenceRequest OfSequence(bool isStart, ulong sequence = 7, bool isEnd = false)
    {
        var request = TestModels.Request(1);
        (request.SequenceId, request.SequenceStart, request.SequenceEnd) = (sequence, isStart, isEnd);
        return request;
    }

    private TensorSet Pass(TensorSet inputs, CancellationToken cancellation)
    {
        _gate.Pass(cancellation);
        return TestModels.AddOne(inputs, cancellation);
    }

    private Model Make(Action<Protocol.ModelDynamicBatching> configure, int limit, TimeProvider? time = null) => TestModels.Make(
        Pass,
        config => configure(config.DynamicBatching = new Protocol.ModelDynamicBatching { MaxQueueDelayMicroseconds = 0 }),
        time,
        new ModelLimits { MaxQueueSize = limit });
}
