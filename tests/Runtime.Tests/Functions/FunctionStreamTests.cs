using Runtime.Functions;
using Runtime.Tensors;
using Runtime.Tests.Scheduling;

namespace Runtime.Tests.Functions;

public class FunctionStreamTests
{
    private static readonly FunctionTensor[] X = [new("X", DataType.Int32, 1)];
    private readonly TaskCompletionSource _finalised = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _entered = new(0);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task StreamAsync_Pieces_ComeInOrder()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.BindStream("count", X, [], (inputs, _) => CountAsync(inputs.Get<int>("X"))));

        Assert.Equal(["0", "1", "2"], await models.StreamAsync("count", 3).ToArrayAsync());
        await _finalised.Task;
    }

    [Fact]
    public async Task StreamAsync_ThrowsInTheMiddle_EndsWithAnErrorAndIsFinalised()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.BindStream("broken", X, [], (_, _) => CountAsync(5, failAt: 2)));

        var pieces = await models.StreamAsync("broken").ToArrayAsync();

        Assert.Equal(["0", "1", "Internal: function 'broken' failed with InvalidOperationException; the host's log has the details"], pieces);
        await _finalised.Task;
        Assert.Contains("at piece 2", Assert.Single(models.Log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StreamAsync_ClientLeavesBetweenPieces_IsFinalised()
    {
        await using var models = await BoundModels.ServeAsync(FunctionModel.BindStream("endless", X, [], (_, _) => CountAsync(int.MaxValue)));

        await foreach (var piece in models.StreamAsync("endless"))
        {
            Assert.Equal("0", piece);
            break;
        }

        await _finalised.Task;
    }

    [Fact]
    public async Task StreamAsync_HangsRegardlessOfCancellation_EndsAtOnceAndIsFinalisedLater()
    {
        using var cancellation = new CancellationTokenSource();
        await using var models = await BoundModels.ServeAsync(FunctionModel.BindStream("stuck", X, [], (_, _) => StuckAsync()));
        var pieces = models.StreamAsync("stuck", 1, cancellation.Token).ToArrayAsync().AsTask();
        await _entered.WaitAsync();
        await cancellation.CancelAsync();

        Assert.StartsWith("Cancelled", Assert.Single(await pieces), StringComparison.Ordinal);
        Assert.False(_finalised.Task.IsCompleted);
        _release.SetResult();
        await _finalised.Task;
    }

    [Fact]
    public async Task Dispose_StreamHangs_IsNotWaitedForForEver()
    {
        var time = new ManualTime();
        using var cancellation = new CancellationTokenSource();
        var models = await BoundModels.ServeAsync(time, FunctionModel.BindStream("stuck", X, [], (_, _) => StuckAsync()));
        var pieces = models.StreamAsync("stuck", 1, cancellation.Token).ToArrayAsync().AsTask();
        await _entered.WaitAsync();
        await cancellation.CancelAsync();
        await pieces;

        var disposal = models.DisposeAsync().AsTask();
        while (!disposal.IsCompleted)
        {
            time.FireAll();
            await Task.Yield();
        }

        Assert.Contains(models.Log, line => line.Contains("does not return from StreamAsync", StringComparison.Ordinal));
        _release.SetResult();
        await _finalised.Task;
    }

    [Fact]
    public async Task StreamAsync_InputsOfAHungStream_StayUntilItReturns()
    {
        using var cancellation = new CancellationTokenSource();
        var seen = new TaskCompletionSource<int>();
        await using var models = await BoundModels.ServeAsync(FunctionModel.BindStream("late", X, [], (inputs, _) => LateAsync(inputs, seen)));
        var pieces = models.StreamAsync("late", 77, cancellation.Token).ToArrayAsync().AsTask();
        await _entered.WaitAsync();
        await cancellation.CancelAsync();
        await pieces;
        _release.SetResult();

        Assert.Equal(77, await seen.Task);
    }

    private async IAsyncEnumerable<Outputs> CountAsync(int count, int failAt = -1)
    {
        try
        {
            for (var i = 0; i < count; i++)
            {
                await Task.Yield();
                yield return i == failAt ? throw new InvalidOperationException($"at piece {i}") : new() { ["Y"] = i };
            }
        }
        finally
        {
            _finalised.SetResult();
        }
    }

    private async IAsyncEnumerable<Outputs> StuckAsync()
    {
        try
        {
            _entered.Release();
            await _release.Task;
            yield return new() { ["Y"] = 1 };
        }
        finally
        {
            _finalised.SetResult();
        }
    }

    private async IAsyncEnumerable<Outputs> LateAsync(Inputs inputs, TaskCompletionSource<int> seen)
    {
        _entered.Release();
        await _release.Task;
        seen.SetResult(inputs.Get<int>("X"));
        yield return new() { ["Y"] = 1 };
    }
}
