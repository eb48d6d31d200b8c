using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class BatchCancellationTests
{
    private readonly Gate _gate = new();
    private readonly TensorPool _pool = new();
    private bool _wasStopped;

    [Fact]
    public async Task InferAsync_EveryMemberCancelled_ExecutionIsStopped()
    {
        using var cancellation = new CancellationTokenSource();
        using (var model = Make())
        {
            var (first, members) = await RunBatchAsync(model, cancellation.Token, cancellation.Token);
            await cancellation.CancelAsync();

            Assert.All(await Task.WhenAll(members), code => Assert.Equal(ErrorCode.Cancelled, code));
            Assert.Null(await first);
            Assert.Equal(2, model.Statistics.Snapshot().Failures[(int)FailureReason.Canceled]);
        }

        Assert.True(_wasStopped);
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public async Task InferAsync_OneMemberCancelled_IsAnsweredAtOnceAndTheOtherServed()
    {
        using var cancellation = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        using (var model = Make())
        {
            var (first, members) = await RunBatchAsync(model, cancellation.Token, other.Token);
            await cancellation.CancelAsync();

            Assert.Equal(ErrorCode.Cancelled, await members[0]);
            Assert.False(members[1].IsCompleted);
            _gate.Open();
            Assert.Null(await members[1]);
            Assert.Null(await first); // it gives its memory back where it is answered, on the pool
            Assert.Equal(1, model.Statistics.Snapshot().Failures[(int)FailureReason.Canceled]);
            Assert.Equal(2, model.Statistics.Snapshot().Success.Count);
        }

        Assert.False(_wasStopped);
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public async Task InferAsync_OneMemberCannotBeCancelled_RunsOn()
    {
        using var cancellation = new CancellationTokenSource();
        using var model = Make();
        var (_, members) = await RunBatchAsync(model, cancellation.Token, CancellationToken.None);
        await cancellation.CancelAsync();

        Assert.Equal(ErrorCode.Cancelled, await members[0]);
        _gate.Open();
        Assert.Null(await members[1]);
        Assert.False(_wasStopped);
    }

    [Fact]
    public async Task InferAsync_AfterAStoppedBatch_TheNextRunsUndisturbed()
    {
        using var cancellation = new CancellationTokenSource();
        using var later = new CancellationTokenSource();
        using var model = Make();
        var (_, stopped) = await RunBatchAsync(model, cancellation.Token, cancellation.Token);
        await cancellation.CancelAsync();
        await Task.WhenAll(stopped);
        var (_, members) = await RunBatchAsync(model, later.Token, later.Token);
        _gate.Open();

        Assert.All(await Task.WhenAll(members), Assert.Null);
    }

    [Fact]
    public async Task InferAsync_BackendThrowsCancelledUnasked_IsAFailureOfTheBackend()
    {
        using var model = TestModels.Make((_, _) => throw new OperationCanceledException("of its own"));
        using var request = TestModels.Request(1);

        var response = await model.InferAsync(request, default);

        Assert.Equal(ErrorCode.Internal, response.Error!.Code);
        Assert.Equal(1, model.Statistics.Snapshot().Failures[(int)FailureReason.Backend]);
    }

    /// <summary>Holds one request in execution until two more wait, and lets it go: the two stand at the gate as one batch.</summary>
    private async Task<(Task<ErrorCode?> First, Task<ErrorCode?>[] Members)> RunBatchAsync(Model model, CancellationToken one, CancellationToken two)
    {
        var first = SendAsync(model, 0, default);
        await _gate.EnteredAsync();
        Task<ErrorCode?>[] members = [SendAsync(model, 1, one), SendAsync(model, 2, two)];
        _gate.Open();
        await _gate.EnteredAsync();
        return (first, members);
    }

    private async Task<ErrorCode?> SendAsync(Model model, int value, CancellationToken cancellation)
    {
        using var request = new InferenceRequest(_pool);
        TestModels.AddInput(request, "X", [1, 1], value);
        using var response = await model.InferAsync(request, cancellation);
        if (response.Error is null)
        {
            TestModels.AssertValues(response, value + 1);
        }

        return response.Error?.Code;
    }

    private Model Make() => TestModels.Make(
        (inputs, cancellation) =>
        {
            try
            {
                _gate.Pass(cancellation);
            }
            catch (OperationCanceledException)
            {
                _wasStopped = true;
                throw;
            }

            return TestModels.AddOne(inputs, cancellation);
        },
        message => message.DynamicBatching = new Protocol.ModelDynamicBatching());
}
