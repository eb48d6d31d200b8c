using System.Collections.Concurrent;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Scheduling;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class AsyncRunnerTests
{
    private readonly ConcurrentQueue<int> _batches = [];
    private readonly SemaphoreSlim _entered = new(0);
    private readonly SemaphoreSlim _open = new(0);

    [Fact]
    public async Task InferAsync_MoreThanTheConcurrency_WaitForOneToEnd()
    {
        using var model = Make(GatedAsync, config => config.Parameters[AsyncRunner.ConcurrencyParameter] = new() { StringValue = "2" }, maxBatchSize: 0);
        var answers = Enumerable.Range(0, 3).Select(_ => AskAsync(model)).ToArray();
        await _entered.WaitAsync();
        await _entered.WaitAsync();

        Assert.Equal(2, _batches.Count);
        _open.Release();
        await _entered.WaitAsync();
        _open.Release(2);

        Assert.All(await Task.WhenAll(answers), Assert.Null);
        Assert.Equal([1, 1, 1], _batches);
    }

    [Fact]
    public void Concurrency_NoNumber_NamesTheParameter()
    {
        var config = TestModels.Config(message => message.Parameters[AsyncRunner.ConcurrencyParameter] = new() { StringValue = "many" });

        var fault = Assert.Throws<Runtime.Models.Configuration.ModelConfigException>(() => AsyncRunner.Concurrency(config));

        Assert.Contains("parameter 'max_concurrent_executions' must be a whole number", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ConcurrencyIsNoNumber_DisposesTheInstance()
    {
        var model = new AsyncModel(AnswerAsync);
        var config = TestModels.Config(message => message.Parameters[AsyncRunner.ConcurrencyParameter] = new() { StringValue = "many" });

        Assert.Throws<Runtime.Models.Configuration.ModelConfigException>(() => new Model(config, 1, model, new Dictionary<string, string[]>(), TimeProvider.System));

        Assert.True(model.Instance!.Disposed.Task.IsCompleted);
    }

    [Fact]
    public async Task InferAsync_FullBatch_GoesBeforeItsWindowEnds()
    {
        using var model = Make(AnswerAsync, Window(TimeSpan.FromHours(1)), maxBatchSize: 2, time: new ManualTime());
        var first = AskAsync(model);
        var second = AskAsync(model);

        Assert.All(await Task.WhenAll(first, second), Assert.Null);
        Assert.Equal([2], _batches);
    }

    [Fact]
    public async Task InferAsync_InputsOfOtherLengths_ShareABatch()
    {
        using var model = Make(AnswerAsync, Window(TimeSpan.FromHours(1)), maxBatchSize: 2, time: new ManualTime());
        var first = AskAsync(model, length: 1);
        var second = AskAsync(model, length: 5);

        Assert.All(await Task.WhenAll(first, second), Assert.Null);
        Assert.Equal([2], _batches);
    }

    [Fact]
    public async Task InferAsync_NoCompany_GoesWhenItsWindowEnds()
    {
        var time = new ManualTime();
        using var model = Make(AnswerAsync, Window(TimeSpan.FromMilliseconds(1)), maxBatchSize: 8, time: time);
        var answer = AskAsync(model);
        while (!answer.IsCompleted)
        {
            time.FireAll();
            await Task.Yield();
        }

        Assert.Null(await answer);
        Assert.Equal([1], _batches);
    }

    [Fact]
    public async Task InferAsync_CancelledWhileItRuns_IsAnsweredAtOnceAndItsInputsStay()
    {
        var pool = new TensorPool();
        using var cancellation = new CancellationTokenSource();
        int[] seen = [];
        using (var model = Make(
            async (batch, token) =>
            {
                await GateAsync();
                seen = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(batch[0].Inputs[0].Data.Span).ToArray();
                return await AnswerAsync(batch, token);
            },
            maxBatchSize: 0))
        {
            var answer = AskAsync(model, pool, cancellation: cancellation.Token);
            await _entered.WaitAsync();
            await cancellation.CancelAsync();

            Assert.Equal(ErrorCode.Cancelled, (await answer)!.Code);
            Assert.Equal(1, pool.Outstanding);
            _open.Release();
        }

        Assert.Equal([1, 2], seen);
        Assert.Equal(0, pool.Outstanding);
    }

    [Fact]
    public async Task InferAsync_WrongCount_FailsTheBatch()
    {
        using var model = Make((_, _) => ValueTask.FromResult(Array.Empty<AsyncResult>()), maxBatchSize: 0);

        var error = await AskAsync(model);

        Assert.Equal("model 'test' gave 0 answers to a batch of 1 requests; it must give one each", error!.Message);
    }

    [Fact]
    public async Task InferAsync_OneAnswerIsAnError_FailsThatRequestOnly()
    {
        using var model = Make(
            (batch, _) => ValueTask.FromResult(batch.Select((request, i) => i == 0 ? new AsyncResult(null, InferenceError.Internal("no")) : new AsyncResult(TestModels.AddOne(request.Inputs, default), null)).ToArray()),
            Window(TimeSpan.FromHours(1)),
            maxBatchSize: 2);

        var errors = await Task.WhenAll(AskAsync(model), AskAsync(model));

        Assert.Equal(["no"], errors.OfType<InferenceError>().Select(error => error.Message));
    }

    [Fact]
    public async Task Dispose_ExecutionHangs_ReturnsAndDisposesTheInstanceWhenItEnds()
    {
        var instance = new AsyncInstance(GatedAsync);
        var config = TestModels.Config(message => message.MaxBatchSize = 0);
        using var request = TestModels.Request([2], [1, 2]);
        var pending = new PendingRequest(request, 1, default);
        var runner = new AsyncRunner(config, [instance], new ModelStatistics(), TimeProvider.System) { Grace = TimeSpan.Zero };
        Assert.Null(runner.Queue.TryEnqueue(pending));
        await _entered.WaitAsync();

        runner.Dispose();
        Assert.False(instance.Disposed.Task.IsCompleted);
        _open.Release();
        await instance.Disposed.Task;

        var result = await pending.Completion;
        Assert.Null(result.Error);
        result.Outputs!.Dispose();
    }

    private static Action<Protocol.ModelConfig> Window(TimeSpan window)
        => config => config.DynamicBatching = new() { MaxQueueDelayMicroseconds = (ulong)window.TotalMicroseconds };

    private static Model Make(
        Func<IReadOnlyList<AsyncRequest>, CancellationToken, ValueTask<AsyncResult[]>> execute, Action<Protocol.ModelConfig>? configure = null, int maxBatchSize = 0, TimeProvider? time = null)
    {
        var config = TestModels.Config(message =>
        {
            message.MaxBatchSize = maxBatchSize;
            configure?.Invoke(message);
        });
        return new Model(config, 1, new AsyncModel(execute), new Dictionary<string, string[]>(), time ?? TimeProvider.System);
    }

    private static async Task<InferenceError?> AskAsync(Model model, TensorPool? pool = null, int length = 2, CancellationToken cancellation = default)
    {
        using var request = new InferenceRequest(pool);
        TestModels.AddInput(request, "X", model.Config.IsBatching ? [1, length] : [length], [.. Enumerable.Range(1, length)]);
        using var response = await model.InferAsync(request, cancellation);
        return response.Error;
    }

    private async ValueTask<AsyncResult[]> GatedAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
    {
        _batches.Enqueue(batch.Count);
        await GateAsync();
        return [.. batch.Select(request => new AsyncResult(TestModels.AddOne(request.Inputs, cancellation), null))];
    }

    private Task GateAsync()
    {
        _entered.Release();
        return _open.WaitAsync();
    }

    private ValueTask<AsyncResult[]> AnswerAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
    {
        _batches.Enqueue(batch.Count);
        return ValueTask.FromResult(batch.Select(request => new AsyncResult(TestModels.AddOne(request.Inputs, cancellation), null)).ToArray());
    }

    private sealed class AsyncModel(Func<IReadOnlyList<AsyncRequest>, CancellationToken, ValueTask<AsyncResult[]>> execute) : ILoadedModel
    {
        public ModelSignature? Signature => null;

        public AsyncInstance? Instance { get; private set; }

        public IDisposable CreateInstance(ModelConfig config, Device device) => Instance = new AsyncInstance(execute);

        public void Dispose()
        {
        }
    }

    private sealed class AsyncInstance(Func<IReadOnlyList<AsyncRequest>, CancellationToken, ValueTask<AsyncResult[]>> execute) : IAsyncInstance
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation) => execute(batch, cancellation);

        public void Dispose() => Disposed.SetResult();
    }
}
