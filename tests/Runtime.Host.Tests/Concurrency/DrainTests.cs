namespace Runtime.Host.Tests.Concurrency;

public sealed class DrainTests
{
    private const int Clients = 8;
    private const int BeforeStop = 200;

    /// <summary>Clients that ask on and on when the server is told to stop: whatever it ran it also answered, and the rest it never took in.</summary>
    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Stop_UnderLoad_NoRequestIsLost(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync();
        var served = 0;
        var isLoaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Backend.Open(1_000_000);
        var clients = Enumerable.Range(0, Clients).Select(AskAsync).ToArray();
        await isLoaded.Task;

        host.Stop();

        await Task.WhenAll(clients);
        Assert.Equal(0, await host.ExitCode);
        Assert.Equal(host.Backend.Executed.Count, served);
        Assert.True(served >= BeforeStop);

        async Task AskAsync(int number)
        {
            using var client = host.Connect(protocol);
            for (var i = 0; ; i++)
            {
                var value = (number << 20) + i;
                var inference = await client.InferAsync(value);
                if (inference.Outcome != Outcome.Served)
                {
                    return;
                }

                Assert.Equal(value, inference.Value);
                if (Interlocked.Increment(ref served) == BeforeStop)
                {
                    isLoaded.SetResult();
                }
            }
        }
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Stop_RequestsRunAndWait_AllAreServed(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync("max_queue_size: 4");
        using var client = host.Connect(protocol);
        var first = client.InferAsync(-1);
        await host.Backend.EnteredAsync();
        var rest = Enumerable.Range(0, 5).Select(i => client.InferAsync(i)).ToArray();
        var refused = await Task.WhenAny(rest); // so the other four wait

        host.Stop();
        host.Backend.Open(5);

        Assert.Equal(Outcome.Refused, (await refused).Outcome);
        Assert.Equal(-1, (await first).Value);
        Assert.Equal(4, (await Task.WhenAll(rest)).Count(inference => inference.Outcome == Outcome.Served));
        Assert.Equal(0, await host.ExitCode);
        Assert.Equal(5, host.Backend.Executed.Count);
    }
}
