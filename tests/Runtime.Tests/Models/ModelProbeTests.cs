using Runtime.Models;

namespace Runtime.Tests.Models;

public sealed class ModelProbeTests
{
    private readonly Gate _gate = new();

    [Fact]
    public async Task Begin_QueueIsFull_StillGetsItsTurnAlone()
    {
        var rows = new List<long>();
        using var model = TestModels.Make(
            (inputs, cancellation) =>
            {
                rows.Add(inputs[0].Shape[0]);
                _gate.Pass(cancellation);
                return TestModels.AddOne(inputs, cancellation);
            },
            config => config.DynamicBatching = new Protocol.ModelDynamicBatching { DefaultQueuePolicy = new Protocol.ModelQueuePolicy { MaxQueueSize = 1 } });
        using var first = TestModels.Request(1);
        using var second = TestModels.Request(2);
        var answers = new List<Task<Runtime.Inference.InferenceResponse>> { model.InferAsync(first, default).AsTask() };
        await _gate.EnteredAsync();
        answers.Add(model.InferAsync(second, default).AsTask());

        var probe = ModelProbe.Begin(model, default);

        Assert.False(probe.IsTaken);
        Assert.Equal(1, model.Statistics.Pending);
        _gate.Open(3);
        Assert.Null(await probe.Answer);
        Assert.True(probe.IsTaken);
        Assert.Equal([1, 1, 1], rows);
        foreach (var answer in answers)
        {
            using var response = await answer;
            Assert.Null(response.Error);
        }

        var counts = model.Statistics.Snapshot();
        Assert.Equal((2, 2, 0), (counts.ExecutionCount, counts.Success.Count, counts.Fail.Count));
    }

    [Fact]
    public async Task Begin_BatchWaitsForCompany_IsTakenAtOnce()
    {
        using var model = TestModels.Make(TestModels.AddOne, config => config.DynamicBatching = new Protocol.ModelDynamicBatching { MaxQueueDelayMicroseconds = 3_600_000_000 });

        Assert.Null(await ModelProbe.Begin(model, default).Answer);
    }

    [Fact]
    public async Task Begin_CachedModel_ExecutesEachTime()
    {
        var executions = 0;
        using var model = TestModels.Make(
            (inputs, cancellation) =>
            {
                executions++;
                return TestModels.AddOne(inputs, cancellation);
            },
            config => config.ResponseCache = new Protocol.ModelResponseCache { Enable = true });
        var cache = new ResponseCache(1 << 20);
        model.UseCache(cache);

        Assert.Null(await ModelProbe.Begin(model, default).Answer);
        Assert.Null(await ModelProbe.Begin(model, default).Answer);

        Assert.Equal(2, executions);
        Assert.Equal(0, cache.Counts.Entries);
        Assert.Equal(0, model.Statistics.Snapshot().CacheMiss.Count);
    }

    [Fact]
    public async Task Begin_CancelledInTheQueue_LeavesIt()
    {
        using var model = TestModels.Make((inputs, cancellation) =>
        {
            _gate.Pass(cancellation);
            return TestModels.AddOne(inputs, cancellation);
        });
        using var request = TestModels.Request(1);
        var answer = model.InferAsync(request, default).AsTask();
        await _gate.EnteredAsync();
        using var leaving = new CancellationTokenSource();
        var probe = ModelProbe.Begin(model, leaving.Token);

        await leaving.CancelAsync();

        Assert.Equal(Runtime.Inference.ErrorCode.Cancelled, (await probe.Answer)?.Code);
        _gate.Open();
        using var response = await answer;
        Assert.Equal(0, model.Statistics.Snapshot().Fail.Count);
    }

    [Fact]
    public async Task Begin_ExecutionThrows_IsNotCounted()
    {
        using var model = TestModels.Make((_, _) => throw new InvalidOperationException("broken"));

        Assert.Contains("broken", (await ModelProbe.Begin(model, default).Answer)?.Message, StringComparison.Ordinal);
        Assert.Equal(0, model.Statistics.Snapshot().Fail.Count);
    }
}
