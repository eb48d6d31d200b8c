using System.Net;
using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

public sealed class GrpcServerTests
{
    private const string ServerLive = GrpcClient.Inference + "ServerLive";
    private const string ModelInfer = GrpcClient.Inference + "ModelInfer";

    [Fact]
    public async Task Call_ServerLive_IsOk()
    {
        await using var host = await GrpcHost.StartAsync();
        var answer = await host.Client.CallAsync(ServerLive, new ServerLiveRequest());
        Assert.True(answer.Read(ServerLiveResponse.Parser).Live);
        Assert.Equal(HttpVersion.Version20, answer.Response.Version);
    }

    [Theory]
    [InlineData("/inference.GRPCInferenceService/Nope", "'inference.GRPCInferenceService' has no method 'Nope'")]
    [InlineData("/foo.Bar/Baz", "'foo.Bar'")]
    [InlineData("/", "''")]
    public async Task Call_UnknownMethod_IsUnimplemented(string path, string message)
    {
        await using var host = await GrpcHost.StartAsync();
        var answer = await host.Client.CallAsync(path, new ServerLiveRequest());
        answer.AssertFails(GrpcStatusCode.Unimplemented, message);
    }

    [Theory]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc-web", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+proto", HttpStatusCode.OK)]
    [InlineData("application/grpc;x=y", HttpStatusCode.OK)]
    public async Task Call_ContentType_DecidesWhetherItIsGrpc(string type, HttpStatusCode expected)
    {
        await using var host = await GrpcHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, ServerLive) { Content = new ByteArrayContent(Frames.Of([])) };
        request.Content.Headers.TryAddWithoutValidation("content-type", type);
        using var response = await host.Client.SendAsync(request);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Call_MalformedMessage_IsInternal()
    {
        await using var host = await GrpcHost.StartAsync();
        (await host.Client.CallAsync(GrpcClient.Inference + "ModelReady", Frames.Of([0xFF]))).AssertFails(GrpcStatusCode.Internal, "parse");
        (await host.Client.CallAsync(ModelInfer, Frames.Of([0xFF]))).AssertFails(GrpcStatusCode.Internal, "parse");
    }

    [Fact]
    public async Task Call_NoneOrTwoMessages_IsInternal()
    {
        await using var host = await GrpcHost.StartAsync();
        (await host.Client.CallAsync(ServerLive, [])).AssertFails(GrpcStatusCode.Internal, "no message");
        (await host.Client.CallAsync(ServerLive, (byte[])[.. Frames.Of([]), .. Frames.Of([])])).AssertFails(GrpcStatusCode.Internal, "second message");
    }

    [Fact]
    public async Task Call_UnknownEncoding_IsUnimplementedAndSaysWhatIsKnown()
    {
        await using var host = await GrpcHost.StartAsync();
        var answer = await host.Client.CallAsync(ServerLive, Frames.Of([]), ("grpc-encoding", "zstd"));
        answer.AssertFails(GrpcStatusCode.Unimplemented, "zstd");
        Assert.Contains("gzip", Assert.Single(answer.Response.Headers.GetValues("grpc-accept-encoding")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_MessageBeyondTheLimit_IsResourceExhausted()
    {
        await using var host = await GrpcHost.StartAsync(options => options with { GrpcMaxMessageSize = 100 });
        (await host.Client.CallAsync(ModelInfer, Frames.Of(new byte[101]))).AssertFails(GrpcStatusCode.ResourceExhausted, "101 vs. 100");
    }

    [Fact]
    public async Task Call_DeadlinePasses_IsDeadlineExceededAndCancelsTheExecution()
    {
        await using var host = await GrpcHost.StartAsync();
        var answer = await host.Client.CallAsync(ModelInfer, TestRequests.Infer("gate", 1, 2), ("grpc-timeout", "20m"));
        answer.AssertFails(GrpcStatusCode.DeadlineExceeded, "Deadline");
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("1000000000S")]
    public async Task Call_MalformedTimeout_IsInternal(string timeout)
    {
        await using var host = await GrpcHost.StartAsync();
        (await host.Client.CallAsync(ServerLive, Frames.Of([]), ("grpc-timeout", timeout))).AssertFails(GrpcStatusCode.Internal, timeout);
    }

    [Fact]
    public async Task Call_ClientLeaves_CancelsTheExecution()
    {
        await using var host = await GrpcHost.StartAsync();
        using var leaving = new CancellationTokenSource();
        var call = host.Client.SendAsync(ModelInfer, new ByteArrayContent(Frames.Of(TestRequests.Infer("gate", 1).ToByteArray())), leaving.Token);
        await host.EnteredAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        // The only instance serves the next request, so the first has left it.
        var next = host.Client.CallAsync(ModelInfer, TestRequests.Infer("gate", 7));
        await host.EnteredAsync();
        host.Open();
        Assert.Equal(TestRequests.Bytes(7), Assert.Single((await next).Read(ModelInferResponse.Parser).RawOutputContents).ToByteArray());
    }

    [Fact]
    public async Task Call_RestrictedProtocol_WantsItsHeader()
    {
        await using var host = await GrpcHost.StartAsync(options => options with { GrpcRestrictedProtocol = ["health:admin=secret"] });
        (await host.Client.CallAsync(ServerLive, Frames.Of([])))
            .AssertFails(GrpcStatusCode.Unavailable, "This protocol is restricted, expecting header 'triton-grpc-protocol-admin'");
        (await host.Client.CallAsync(ServerLive, Frames.Of([]), ("triton-grpc-protocol-admin", "secret"))).Read(ServerLiveResponse.Parser);
        (await host.Client.CallAsync(GrpcClient.Inference + "ServerMetadata", Frames.Of([]))).Read(ServerMetadataResponse.Parser);
    }
}
