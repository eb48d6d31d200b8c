using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.Tests.Lifecycle;

public sealed class InferenceServerTests
{
    [Fact]
    public async Task Request_ThroughEachListener_ReachesItsDoor()
    {
        await using var test = await ServerUnderTest.StartAsync();

        Assert.Equal("http", await ServerUnderTest.GetAsync(test.Server.HttpAddress!));
        Assert.Equal("grpc", await ServerUnderTest.GetAsync(test.Server.GrpcAddress!, HttpVersion.Version20));
        Assert.Equal("metrics", await ServerUnderTest.GetAsync(test.Server.MetricsAddress!));
    }

    [Fact]
    public async Task Grpc_ClientSaysNothing_IsAskedAndThenLeft()
    {
        const byte Ping = 6;
        await using var test = await ServerUnderTest.StartAsync(options: ServerUnderTest.FreePorts with { GrpcKeepaliveTime = 1000, GrpcKeepaliveTimeout = 1000 });
        using var client = new TcpClient();
        await client.ConnectAsync(test.Server.GrpcAddress!);
        byte[] settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        await client.GetStream().WriteAsync((byte[])[.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. settings]);
        using var all = new MemoryStream();

        await client.GetStream().CopyToAsync(all).WaitAsync(TimeSpan.FromMinutes(1));

        byte[] frames = all.ToArray();
        var types = new List<byte>();
        for (var start = 0; start < frames.Length; start += 9 + (frames[start] << 16 | frames[start + 1] << 8 | frames[start + 2]))
        {
            types.Add(frames[start + 3]);
        }

        Assert.Contains(Ping, types);
    }

    [Fact]
    public async Task Start_DoorsNotAllowed_AreClosed()
    {
        await using var test = await ServerUnderTest.StartAsync(options: ServerUnderTest.FreePorts with { AllowGrpc = false, AllowMetrics = false });

        Assert.Equal(["HTTP"], test.Server.Addresses.Select(a => a.Door));
        Assert.Null(test.Server.GrpcAddress);
    }

    [Fact]
    public async Task Start_PortInUse_SaysSoInOneLine()
    {
        await using var first = await ServerUnderTest.StartAsync();
        var taken = first.Server.HttpAddress!;

        var fault = await Assert.ThrowsAsync<StartException>(() => ServerUnderTest.StartAsync(options: ServerUnderTest.FreePorts with { HttpPort = taken.Port }));

        Assert.Equal($"cannot listen on {taken}: the port is in use", fault.Message);
    }

    [Fact]
    public async Task Start_AddressOfAnotherMachine_SaysSoInOneLine()
    {
        var fault = await Assert.ThrowsAsync<StartException>(() => ServerUnderTest.StartAsync(options: ServerUnderTest.FreePorts with { HttpAddress = "192.0.2.1" }));

        Assert.StartsWith("cannot listen on 192.0.2.1:0: ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/1.0\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/1.1\r\nX-Host: a\r\nAccept: */*\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/9.9\r\nhOST: x\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/9.9\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("FOO / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200)]
    [InlineData("GET / HTTP/1.1\nHost: x\n\n", 400)]
    [InlineData("GET / HTTP/x.y\r\nHost: x\r\n\r\n", 505)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400)]
    public async Task RequestHead_OfAnyKind_IsAnswered(string head, int status)
    {
        await using var test = await ServerUnderTest.StartAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", await test.ExchangeAsync(head), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(20_000)]
    [InlineData(70_000)]
    [InlineData(300_000)]
    public async Task RequestHead_TooLongWithoutHost_EndsTheConnection(int length)
    {
        await using var test = await ServerUnderTest.StartAsync();

        // The rest of the head may meet a closed connection, which is an answer too.
        var answer = await Record.ExceptionAsync(async () =>
            Assert.DoesNotContain("http", (await test.ExchangeAsync($"GET / HTTP/1.1\r\nX: {new string('a', length)}\r\nY: {new string('b', 20_000)}\r\n\r\n")), StringComparison.Ordinal));

        Assert.True(answer is null or IOException, answer?.ToString());
    }

    [Fact]
    public async Task RepairedConnection_SendsBodyAndSecondRequest_BothAreAnswered()
    {
        await using var test = await ServerUnderTest.StartAsync(ServerUnderTest.Naming with { Http = CountAsync });
        var body = new string('a', 200_000);

        var answer = await test.ExchangeAsync($"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n{body}POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb");

        Assert.Contains("got 200000", answer, StringComparison.Ordinal);
        Assert.Contains("got 1\r", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_BrokenChunk_Is400WithAnError()
    {
        await using var test = await ServerUnderTest.StartAsync(ServerUnderTest.Naming with { Http = CountAsync });

        var answer = await test.ExchangeAsync("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("{\"error\":\"Bad chunk size data.\"}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Door_Throws_Is500WithAnError()
    {
        await using var test = await ServerUnderTest.StartAsync(ServerUnderTest.Naming with { Http = _ => throw new InvalidOperationException("secret") });

        var answer = await test.ExchangeAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 500 ", answer, StringComparison.Ordinal);
        Assert.Contains("{\"error\":\"unexpected fault in the server: InvalidOperationException\"}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_RequestInFlight_FinishesWhileNewOnesAreRefused()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await ServerUnderTest.StartAsync(ServerUnderTest.Naming with
        {
            Http = async context =>
            {
                arrived.SetResult();
                await gate.Task;
                await context.Response.WriteAsync("done");
            },
        });
        var address = test.Server.HttpAddress!;
        var request = ServerUnderTest.GetAsync(address);
        await arrived.Task;

        var stopping = test.Server.StopAsync();
        using var late = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(address));
        gate.SetResult();

        Assert.Equal("done", await request);
        Assert.True(await stopping);
    }

    [Fact]
    public async Task Stop_RequestOutlivesTheTimeout_IsCutOff()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var test = await ServerUnderTest.StartAsync(
            ServerUnderTest.Naming with
            {
                Http = async context =>
                {
                    var aborted = new TaskCompletionSource();
                    using var registration = context.RequestAborted.Register(aborted.SetResult);
                    arrived.SetResult();
                    await aborted.Task;
                },
            },
            ServerUnderTest.FreePorts with { ExitTimeoutSecs = 0 });
        var request = ServerUnderTest.GetAsync(test.Server.HttpAddress!);
        await arrived.Task;

        Assert.False(await test.Server.StopAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => request);
    }

    private static async Task CountAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        await context.Response.WriteAsync($"got {(await reader.ReadToEndAsync()).Length}");
    }
}
