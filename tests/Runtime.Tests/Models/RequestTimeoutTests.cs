using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

public class RequestTimeoutTests
{
    private static readonly ModelLimits OneSecond = new() { RequestTimeoutMilliseconds = 1000 };

    private readonly Gate _gate = new();
    private readonly Scheduling.ManualTime _time = new();

    [Fact]
    public async Task InferAsync_TimeOverInExecution_EndsTheExecution()
    {
        using var model = TestModels.Make(Pass, null, _time, OneSecond);
        var response = model.InferAsync(TestModels.Request(1), default).AsTask();
        await _gate.EnteredAsync();
        _time.FireAll();

        var error = (await response).Error!;
        Assert.Equal(ErrorCode.DeadlineExceeded, error.Code);
        Assert.Equal("[request id: <id_unknown>] request to model 'test' took longer than the 1000 milliseconds that it has", error.Message);
        Assert.Equal([0L, 0, 0, 1], model.Statistics.Snapshot().Failures);
    }

    [Fact]
    public async Task InferAsync_TimeOverInTheQueue_LeavesItAtOnce()
    {
        using var model = TestModels.Make((inputs, _) => Pass(inputs, default), null, _time, OneSecond);
        var running = model.InferAsync(TestModels.Request(1), default).AsTask();
        await _gate.EnteredAsync();
        var waiting = model.InferAsync(TestModels.Request(1), default).AsTask();
        _time.FireAll();

        Assert.Equal(ErrorCode.DeadlineExceeded, (await waiting).Error!.Code);
        Assert.Equal(0, model.Statistics.Pending);
        _gate.Open();
        Assert.Null((await running).Error); // it was made all the same
    }

    [Fact]
    public async Task InferAsync_ClientGoneWithinTheTime_IsCancelled()
    {
        using var model = TestModels.Make(Pass, null, _time, OneSecond);
        using var client = new CancellationTokenSource();
        var response = model.InferAsync(TestModels.Request(1), client.Token).AsTask();
        await _gate.EnteredAsync();
        await client.CancelAsync();

        Assert.Equal(ErrorCode.Cancelled, (await response).Error!.Code);
        Assert.Equal([0L, 1, 0, 0], model.Statistics.Snapshot().Failures);
    }

    [Fact]
    public async Task InferAsync_Answered_LeavesNoTimer()
    {
        using var model = TestModels.Make(TestModels.AddOne, null, _time, OneSecond);

        TestModels.AssertValues(await model.InferAsync(TestModels.Request(1), default), 2);
        Assert.Equal(0, _time.TimerCount);
    }

    [Fact]
    public async Task StreamAsync_TimeOver_EndsWithTheError()
    {
        using var model = new Model(
            TestModels.Config(config => config.ModelTransactionPolicy = new Protocol.ModelTransactionPolicy { Decoupled = true }) with { Limits = OneSecond },
            1, new EndlessModel(), new Dictionary<string, string[]>(), _time);
        var codes = new List<ErrorCode?>();
        await foreach (var response in model.StreamAsync(TestModels.Request(1), default))
        {
            codes.Add(response.Error?.Code);
            response.Dispose();
            _time.FireAll();
        }

        Assert.Equal([null, ErrorCode.DeadlineExceeded], codes);
        Assert.Equal([0L, 0, 0, 1], model.Statistics.Snapshot().Failures);
    }

    [Theory]
    [InlineData("250", 250)]
    [InlineData("0", 0)]
    public async Task Load_ModelWithATimeout_Wins(string value, int expected)
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("m", $$"""parameters { key: "request_timeout_ms" value { string_value: "{{value}}" } }""", (1, "1"));
        Assert.Null(await repository.LoadAsync("m"));

        Assert.Null(repository.Models.TryAcquire("m", "", out var lease));
        Assert.Equal(expected, lease.Model.Config.Limits.RequestTimeoutMilliseconds);
        lease.Dispose();
    }

    [Fact]
    public async Task StreamAsync_ReaderLeaves_CountsAsCanceled()
    {
        using var model = new Model(TestModels.Config(), 1, new EndlessModel(), new Dictionary<string, string[]>(), TimeProvider.System);
        using var request = TestModels.Request(1);

        await foreach (var response in model.StreamAsync(request, default))
        {
            response.Dispose();
            break;
        }

        var counts = model.Statistics.Snapshot();
        Assert.Equal((0, 1), (counts.Success.Count, counts.Failures[(int)FailureReason.Canceled]));
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("99999999999")]
    public async Task Load_TimeoutThatIsNoNumber_IsRefused(string value)
    {
        await using var repository = new RepositoryUnderTest();
        repository.Write("m", $$"""parameters { key: "request_timeout_ms" value { string_value: "{{value}}" } }""", (1, "1"));

        Assert.Contains($"parameter 'request_timeout_ms' must be a whole number from 0 to 2147483647, got '{value}'", (await repository.LoadAsync("m"))!.Message, StringComparison.Ordinal);
    }

    private TensorSet Pass(TensorSet inputs, CancellationToken cancellation)
    {
        _gate.Pass(cancellation);
        return TestModels.AddOne(inputs, cancellation);
    }

    /// <summary>Streams one response, and then nothing until it is cancelled.</summary>
    private sealed class EndlessModel : ILoadedModel, IStreamingInstance
    {
        public ModelSignature? Signature => null;

        public IDisposable CreateInstance(ModelConfig config, Device device) => this;

        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            yield return TestModels.AddOne(request.Inputs, cancellation);
            var never = new TaskCompletionSource();
            await never.Task.WaitAsync(cancellation);
        }

        public void Dispose()
        {
        }
    }
}
