using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class SynchronousContinuationTests
{
    private readonly Gate _gate = new();
    private Thread? _instance;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InferAsync_NothingElseWaits_GoesOnOnTheInstancesThreadWhereItMay(bool isAllowed)
    {
        using var model = TestModels.Make(Gated);

        var answered = SendAsync(model, 1, isAllowed);
        await _gate.EnteredAsync();
        _gate.Open();

        Assert.Equal(isAllowed, await answered == _instance);
    }

    [Fact]
    public async Task InferAsync_AnotherRequestWaits_GoesOnOnThePool()
    {
        using var model = TestModels.Make(Gated);
        var first = SendAsync(model, 1, true);
        await _gate.EnteredAsync();
        var second = SendAsync(model, 2, false);
        _gate.Open(2);

        Assert.True((await first).IsThreadPoolThread);
        Assert.True((await second).IsThreadPoolThread);
    }

    [Fact]
    public async Task InferAsync_BatchOfThoseWhoMay_TheFirstGoesOnOnTheInstancesThreadAndNoneIsLost()
    {
        using var model = TestModels.Make(Gated, config => config.DynamicBatching = new());
        var alone = SendAsync(model, 1, false);
        await _gate.EnteredAsync();
        var batch = Enumerable.Range(2, 3).Select(value => SendAsync(model, value, true)).ToArray();
        _gate.Open(2);

        await alone;
        var threads = await Task.WhenAll(batch);
        Assert.Same(_instance, threads[0]);
        Assert.Equal(2, model.Statistics.Snapshot().ExecutionCount);
    }

    [Fact]
    public async Task Dispose_OnTheInstancesThread_SaysWhyNot()
    {
        using var model = TestModels.Make(Gated);
        var disposed = DisposeAfterAnswerAsync(model);
        await _gate.EnteredAsync();
        _gate.Open();

        var exception = Assert.IsType<InvalidOperationException>(await disposed);
        Assert.Contains("synchronous continuations", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>The thread on which the receiver of the answer went on.</summary>
    private static async Task<Thread> SendAsync(Model model, int value, bool isAllowed)
    {
        using var request = TestModels.Request(value);
        request.AllowSynchronousContinuations = isAllowed;
        using var response = await model.InferAsync(request, default).ConfigureAwait(false);
        TestModels.AssertValues(response, value + 1);
        var thread = Thread.CurrentThread;
        await Task.Yield(); // the test goes on elsewhere
        return thread;
    }

    private static async Task<Exception?> DisposeAfterAnswerAsync(Model model)
    {
        await SendHereAsync(model).ConfigureAwait(false);
        var exception = Record.Exception(model.Dispose);
        await Task.Yield(); // the test goes on elsewhere
        return exception;
    }

    private static async Task SendHereAsync(Model model)
    {
        using var request = TestModels.Request(1);
        request.AllowSynchronousContinuations = true;
        using var response = await model.InferAsync(request, default).ConfigureAwait(false);
    }

    private TensorSet Gated(TensorSet inputs, CancellationToken cancellation)
    {
        _instance = Thread.CurrentThread;
        _gate.Pass(cancellation);
        return TestModels.AddOne(inputs, cancellation);
    }
}
