using Runtime.Models;
using Runtime.Scheduling;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

public class RequestQueueTests
{
    private const ulong Forever = 1_000_000_000_000;

    /// <summary>An instance that sleeps on an empty queue must learn of what another leaves behind when it goes off with a batch.</summary>
    [Fact]
    public async Task InferAsync_AnotherInstanceLeavesWorkBehind_IdleOneTakesIt()
    {
        var gate = new Gate();
        using var model = TestModels.Make(
            (inputs, cancellation) =>
            {
                gate.Pass();
                return TestModels.AddOne(inputs, cancellation);
            },
            message =>
            {
                message.InstanceGroup[0].Count = 2;
                message.DynamicBatching = new Protocol.ModelDynamicBatching();
            });

        for (var round = 0; round < 200; round++)
        {
            var requests = new[] { TestModels.Request(1), TestModels.Request(1, 2) }.Select(request => model.InferAsync(request, default).AsTask()).ToArray();
            await gate.EnteredAsync();
            await gate.EnteredAsync(); // both run, though neither may finish before both have begun
            gate.Open(2);
            await Task.WhenAll(requests);
        }

        Assert.Equal(400, model.Statistics.Snapshot().ExecutionCount);
    }

    [Fact]
    public void Take_OldRequestOfLowPriorityInTheBatch_CountsWithItsAge()
    {
        var queue = Make(batching => (batching.PriorityLevels, batching.DefaultPriorityLevel, batching.MaxQueueDelayMicroseconds) = (2, 2, 1000));
        var old = Pending([1]);
        Assert.Null(queue.TryEnqueue(old));
        old.Times.Queued = 1; // long ago
        Assert.Null(queue.TryEnqueue(Pending([2], priority: 1)));
        var batch = new List<PendingRequest>();

        Assert.True(queue.Take(batch));
        Assert.Equal(2, batch.Count);
    }

    [Fact]
    public async Task TryRemove_HeadThatWaitedForCompany_LetsTheFullBatchBehindItGo()
    {
        var queue = Make(batching => batching.MaxQueueDelayMicroseconds = Forever);
        var head = Pending([1, 2]);
        Assert.Null(queue.TryEnqueue(head));
        var batch = new List<PendingRequest>();
        var taking = Task.Factory.StartNew(() => queue.Take(batch), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (var i = 0; i < 8; i++)
        {
            Assert.Null(queue.TryEnqueue(Pending([i])));
        }

        Assert.True(queue.TryRemove(head));

        Assert.True(await taking);
        Assert.Equal(8, batch.Count);
    }

    [Fact]
    public async Task Close_SeveralInstancesWaiting_AllLeave()
    {
        var queue = Make(batching => batching.MaxQueueDelayMicroseconds = Forever);
        Assert.Null(queue.TryEnqueue(Pending([1])));
        var taken = 0;
        var instances = Enumerable.Range(0, 3).Select(_ => Task.Factory.StartNew(
            () =>
            {
                for (var batch = new List<PendingRequest>(); queue.Take(batch); batch.Clear())
                {
                    Interlocked.Add(ref taken, batch.Count);
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToArray();
        queue.Close();
        await Task.WhenAll(instances);

        Assert.Equal(1, taken);
    }

    private static RequestQueue Make(Action<Protocol.ModelDynamicBatching> configure) => new(
        TestModels.Config(message =>
        {
            message.DynamicBatching = new Protocol.ModelDynamicBatching();
            configure(message.DynamicBatching);
        }),
        new ModelStatistics(),
        TimeProvider.System);

    private static PendingRequest Pending(int[] values, ulong priority = 0)
    {
        var request = TestModels.Request(values);
        request.Priority = priority;
        return new PendingRequest(request, 1, default);
    }
}
