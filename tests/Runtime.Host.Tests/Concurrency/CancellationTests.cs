using System.Net.Sockets;
using System.Text;

namespace Runtime.Host.Tests.Concurrency;

/// <summary>The backend sees each way in which a client goes away, and the instance serves the next one.</summary>
public sealed class CancellationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Http_ConnectionClosed_CancelsTheExecution(bool isReset)
    {
        await using var host = await HostUnderTest.StartAsync();
        using (var connection = new TcpClient())
        {
            await connection.ConnectAsync(host.HttpAddress);
            var body = HttpInferClient.Body(1);
            await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/gated/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
            await host.Backend.EnteredAsync();
            connection.LingerState = new LingerOption(isReset, 0);
        }

        await host.Backend.CancelledAsync();
        await ServesNextAsync(host, Protocols.Http);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Client_Cancels_CancelsTheExecution(Protocols protocol)
    {
        await using var host = await HostUnderTest.StartAsync();
        using var client = host.Connect(protocol);
        using var leaving = new CancellationTokenSource();
        var inference = client.InferAsync(1, leaving: leaving.Token);
        await host.Backend.EnteredAsync();

        await leaving.CancelAsync();

        await host.Backend.CancelledAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inference);
        await ServesNextAsync(host, protocol);
    }

    [Fact]
    public async Task Grpc_DeadlinePasses_CancelsTheExecution()
    {
        await using var host = await HostUnderTest.StartAsync();
        using var client = (GrpcInferClient)host.Connect(Protocols.Grpc);

        var inference = client.InferWithinAsync(1, "50m");

        await host.Backend.EnteredAsync();
        await host.Backend.CancelledAsync();
        Assert.Equal(Outcome.DeadlineExceeded, (await inference).Outcome);
        await ServesNextAsync(host, Protocols.Grpc);
    }

    [Fact]
    public async Task Grpc_ConnectionClosed_CancelsEveryCallOfIt()
    {
        await using var host = await HostUnderTest.StartAsync();
        var client = host.Connect(Protocols.Grpc);
        var inferences = Enumerable.Range(0, 5).Select(i => client.InferAsync(i)).ToArray();
        await host.Backend.EnteredAsync();

        client.Dispose();

        await host.Backend.CancelledAsync();
        foreach (var inference in inferences)
        {
            var failure = await Record.ExceptionAsync(() => inference);
            Assert.True(failure is OperationCanceledException || (await inference).Outcome == Outcome.Unreachable, failure?.ToString());
        }

        await ServesNextAsync(host, Protocols.Grpc, mayRunBefore: inferences.Length);
    }

    /// <param name="host">The server.</param>
    /// <param name="protocol">How to ask it.</param>
    /// <param name="mayRunBefore">How many requests may pass the gate before they learn of their cancellation.</param>
    private static async Task ServesNextAsync(HostUnderTest host, Protocols protocol, int mayRunBefore = 0)
    {
        using var client = host.Connect(protocol);
        host.Backend.Open(mayRunBefore + 1);
        Assert.Equal(7, (await client.InferAsync(7)).Value);
        Assert.InRange(host.Backend.Executed.Count, 1, mayRunBefore + 1);
    }
}
