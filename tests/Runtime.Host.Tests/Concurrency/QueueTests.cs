namespace Runtime.Host.Tests.Concurrency;

/// <summary>What clients see of a model's queue while its instance is held at the gate.</summary>
public sealed class QueueTests
{
    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_QueueFull_TheRestAreRefusedAtOnceAndTheWaitingServed(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync("max_queue_size: 3");
        using var client = host.Connect(protocol);
        var first = client.InferAsync(-1);
        await host.Backend.EnteredAsync();

        var rest = Enumerable.Range(0, 10).Select(i => client.InferAsync(i)).ToList();
        var refused = await FirstAsync(rest, 7);
        host.Backend.Open(4);

        Assert.All(refused, inference => Assert.Equal(Outcome.Refused, inference.Outcome));
        Assert.All(refused, inference => Assert.Contains("Exceeds maximum queue size: 3 requests already wait for model 'gated'", inference.Message, StringComparison.Ordinal));
        Assert.Equal(-1, (await first).Value);
        var all = await Task.WhenAll(rest);
        Assert.Equal(3, all.Count(inference => inference.Outcome == Outcome.Served));
        Assert.All(all.Select((inference, i) => (inference, i)).Where(pair => pair.inference.Outcome == Outcome.Served), pair => Assert.Equal(pair.i, pair.inference.Value));
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_HigherPriorityComesLater_IsServedFirst(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync("max_queue_size: 1");
        using var client = host.Connect(protocol);
        var first = client.InferAsync(0);
        await host.Backend.EnteredAsync();
        var low = await QueueOneAsync(client, 200, priority: 2);
        var high = await QueueOneAsync(client, 100, priority: 1);

        host.Backend.Open(3);

        await Task.WhenAll(first, low, high);
        Assert.Equal([0, 100, 200], host.Backend.Executed);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_TimeoutInTheQueue_IsRefusedWhileTheInstanceIsBusy(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync();
        using var client = host.Connect(protocol);
        var first = client.InferAsync(1);
        await host.Backend.EnteredAsync();

        var late = await client.InferAsync(2, timeoutMicroseconds: 1000);
        host.Backend.Open();

        Assert.Equal(Outcome.Refused, late.Outcome);
        Assert.Contains("Request timeout expired in the queue of model 'gated'", late.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await first).Value);
        Assert.Equal([1], host.Backend.Executed);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_ClientLeavesTheQueue_ItsPlaceIsFree(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync("max_queue_size: 1");
        using var client = host.Connect(protocol);
        var first = client.InferAsync(1);
        await host.Backend.EnteredAsync();
        using var leaving = new CancellationTokenSource();
        var waiting = await QueueOneAsync(client, 2, leaving: leaving.Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        // A request that finds a place waits there until its timeout; the server learns of the client's leaving in its own time.
        Inference next;
        do
        {
            next = await client.InferAsync(3, timeoutMicroseconds: 1000);
        }
        while (next.Message.Contains("Exceeds maximum queue size", StringComparison.Ordinal));

        host.Backend.Open();
        Assert.Contains("Request timeout expired", next.Message, StringComparison.Ordinal);
        Assert.Equal(1, (await first).Value);
        Assert.Equal([1], host.Backend.Executed);
    }

    /// <summary>Fills a queue of one: of two requests one is refused, and then the other waits.</summary>
    private static async Task<Task<Inference>> QueueOneAsync(InferClient client, int value, int priority = 0, CancellationToken leaving = default)
    {
        Task<Inference>[] pair = [client.InferAsync(value, priority, leaving: leaving), client.InferAsync(value, priority, leaving: leaving)];
        var refused = await Task.WhenAny(pair);
        Assert.Equal(Outcome.Refused, (await refused).Outcome);
        return pair.Single(inference => inference != refused);
    }

    private static async Task<List<Inference>> FirstAsync(IEnumerable<Task<Inference>> inferences, int count)
    {
        var waiting = inferences.ToList();
        var done = new List<Inference>();
        while (done.Count < count)
        {
            var next = await Task.WhenAny(waiting);
            waiting.Remove(next);
            done.Add(await next);
        }

        return done;
    }
}
