using System.Net.Sockets;
using System.Text;
using Runtime.Host.Tests.Grpc;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>What the platform finds in a request's output directory, at the moment when the response's headers arrive.</summary>
public sealed class OutputsOverHttpTests
{
    private const string Numbers = """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""";
    private const string Ask = """{"INPUT":1}""";

    private static readonly string Long = new('x', 5000);

    private static string Text(string value) => $$"""{"id":"c-1","inputs":[{"name":"X","shape":[1],"datatype":"BYTES","data":["{{value}}"]}]}""";

    [Fact]
    public async Task Infer_EnsembleStepDone_ProgressShowsItsShareAndIsGoneBeforeTheHeaders()
    {
        await using var host = await NvcfHost.StartAsync();
        var answer = host.PostAsync("/v2/models/pipeline/infer", Numbers, host.Headers());
        await host.Gate.EnteredAsync();

        Assert.Equal($$$"""{"id":"{{{NvcfHost.RequestId}}}","progress":50,"partialResponse":{}}""", await File.ReadAllTextAsync(Path.Combine(host.Output, "progress")));
        host.Gate.Open();

        Assert.Equal(200, (await answer).Status);
        Assert.Empty((await answer).Seen);
    }

    [Fact]
    public async Task Infer_EnsembleOverGrpc_ProgressShowsItsShareAndIsGoneAfterwards()
    {
        await using var host = await NvcfHost.StartAsync();
        var request = TestRequests.Infer("pipeline", 7);
        request.Inputs[0].Shape.RemoveAt(0);
        var answer = host.CallAsync(request, host.Headers());
        await host.Gate.EnteredAsync();

        Assert.Contains("\"progress\":50", await File.ReadAllTextAsync(Path.Combine(host.Output, "progress")), StringComparison.Ordinal);
        host.Gate.Open();

        Assert.Equal(Host.Grpc.GrpcStatusCode.Ok, (await answer).Status);
        Assert.Empty(Directory.GetFiles(host.Output));
    }

    [Theory]
    [InlineData("/v2/models/gated/infer", Numbers)]
    [InlineData("/v2/models/gated/generate", """{"X":[7]}""")]
    [InlineData("/v2/models/gated/generate_stream", """{"X":[7]}""")]
    public async Task Answer_PartialFilesLeftByTheFunction_AreGoneWhenTheHeadersArrive(string target, string body)
    {
        await using var host = await NvcfHost.StartAsync();
        var answer = host.PostAsync(target, body, host.Headers());
        await host.Gate.EnteredAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "image1.partial"), "half");
        await File.WriteAllTextAsync(Path.Combine(host.Output, "image1.jpg"), "whole");
        host.Gate.Open();

        Assert.Equal(200, (await answer).Status);
        Assert.Equal(["image1.jpg"], (await answer).Seen);
    }

    [Theory]
    [InlineData("/v2/models/text/infer", Ask)]
    [InlineData("/v2/models/text/infer", "{")]
    [InlineData("/v2/models/text/generate", "{")]
    [InlineData("/v2/models/text/generate_stream", "{")]
    [InlineData("/v2/models/repeat/generate_stream", """{"IN":[1],"DELAY":[0],"WAIT":[]}""")]
    public async Task Answer_RequestFails_NothingIsLeftWhenTheHeadersArrive(string target, string body)
    {
        await using var host = await NvcfHost.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "left.jpg"), "");
        await File.WriteAllTextAsync(Path.Combine(host.Output, "left.partial"), "");

        var answer = await host.PostAsync(target, body, host.Headers());

        Assert.InRange(answer.Status, 400, 599);
        Assert.Empty(answer.Seen);
    }

    [Fact]
    public async Task Disconnect_WhileTheModelRuns_CancelsItAndRemovesLeftovers()
    {
        await using var host = await NvcfHost.StartAsync();
        using var leaving = new CancellationTokenSource();
        var answer = host.PostAsync("/v2/models/pipeline/infer", Numbers, host.Headers(), leaving.Token);
        await host.Gate.EnteredAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "half.partial"), "");
        Assert.Equal(2, Directory.GetFiles(host.Output).Length);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await host.Gate.CancelledAsync();

        // The host drains on its way out, and so has let go of the request.
        await host.Server.StopAsync();
        Assert.Empty(Directory.GetFiles(host.Output));
    }

    [Fact]
    public async Task Grpc_RequestFails_RemovesLeftovers()
    {
        await using var host = await NvcfHost.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "left.partial"), "");

        (await host.CallAsync(TestRequests.Infer("nowhere", 1), host.Headers())).AssertFails(Host.Grpc.GrpcStatusCode.NotFound, "nowhere");

        Assert.Empty(Directory.GetFiles(host.Output));
    }

    /// <summary>Whoever may reach a host that is no function must not choose directories.</summary>
    [Fact]
    public async Task Infer_HostIsNoFunction_HeadersAreNotHeeded()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { Nvcf = "false" });
        var answer = host.PostAsync("/v2/models/pipeline/infer", Numbers, host.Headers());
        await host.Gate.EnteredAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "a.partial"), "");
        Assert.False(File.Exists(Path.Combine(host.Output, "progress")));
        host.Gate.Open();

        Assert.Equal(["a.partial"], (await answer).Seen);
        Assert.Contains(Long, (await host.PostAsync("/v2/models/filed/infer", Text(Long), host.Headers())).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_FirstEvent_LeavesAfterTheDirectoryIsInOrder()
    {
        await using var host = await NvcfHost.StartAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "a.partial"), "");
        await File.WriteAllTextAsync(Path.Combine(host.Output, "a.jpg"), "");

        var answer = await host.PostAsync("/v2/models/repeat/generate_stream", """{"IN":[1,2,3],"DELAY":[0,0,0],"WAIT":0}""", host.Headers());

        Assert.Equal("text/event-stream", answer.Headers.ContentType!.MediaType);
        Assert.Equal(["a.jpg"], answer.Seen);
        Assert.Equal(3, answer.Text.Split("data: ").Length - 1);
    }

    /// <summary>The same with a bare socket: the directory is looked at when the first byte of the answer is there.</summary>
    [Fact]
    public async Task Infer_FirstByteOfTheAnswer_ComesAfterTheDirectoryIsInOrder()
    {
        await using var host = await NvcfHost.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(host.Server.HttpAddress!);
        var headers = string.Concat(host.Headers().Select(header => $"{header.Name}: {header.Value}\r\n"));
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/pipeline/infer HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {Numbers.Length}\r\n\r\n{Numbers}"));
        await host.Gate.EnteredAsync();
        await File.WriteAllTextAsync(Path.Combine(host.Output, "a.partial"), "");
        Assert.Equal(2, Directory.GetFiles(host.Output).Length);
        host.Gate.Open();

        Assert.Equal(1, await client.GetStream().ReadAsync(new byte[1]));
        Assert.Empty(Directory.GetFiles(host.Output));
    }
}
