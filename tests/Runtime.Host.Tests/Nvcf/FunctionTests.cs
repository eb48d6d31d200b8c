using Runtime.Host.Grpc;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Inference;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>What a function can do with its request's context, from the first header to the last file, over both protocols.</summary>
public sealed class FunctionTests
{
    private const string Target = "/v2/models/function/infer";
    private const string Body = """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""";

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Context_OfAPlatformsRequest_ReachesTheFunction(Protocols protocol)
    {
        await using var host = await NvcfHost.StartAsync();
        host.AddAsset("a-1", "asset"u8.ToArray());
        RequestContext? seen = null;
        string? content = null;
        host.Function.Body = async context =>
        {
            seen = context;
            Assert.Null(context!.Assets!.TryGetPath("a-1", out var path));
            content = await File.ReadAllTextAsync(path);
        };

        await SendAsync(host, protocol, [.. host.Headers("a-1", 1234), ("NVCF-NCAID", "nca")]);

        Assert.Equal(NvcfHost.RequestId, seen!.RequestId);
        Assert.Equal("nca", seen.Headers["nvcf-ncaid"]);
        Assert.Equal(1234, seen.MaxResponseByteSize);
        Assert.Equal(host.Output, seen.Outputs!.Directory);
        Assert.Equal(["a-1"], seen.Assets!.Ids);
        Assert.Equal("asset", content);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Context_OfAnotherRequest_IsNull(Protocols protocol)
    {
        await using var host = await NvcfHost.StartAsync();
        var hasContext = true;
        host.Function.Body = context =>
        {
            hasContext = context is not null;
            return Task.CompletedTask;
        };

        await SendAsync(host, protocol, []);

        Assert.False(hasContext);
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Files_OfAFunctionThatSucceeds_LeaveCompleteAndWithoutProgress(Protocols protocol)
    {
        await using var host = await NvcfHost.StartAsync();
        RequestContext? seen = null;
        string[] during = [];
        host.Function.Body = context =>
        {
            seen = context;
            context!.Progress!.Report(30, """{"preview":"x"}"""u8.ToArray());
            context.Progress.Report(60);
            using (var image = context.Outputs!.Create("image1.jpg"))
            {
                image.Content.Write("image"u8);
                image.Complete();
            }

            context.Outputs.Create("never-completed.jpg").Content.Dispose();
            during = [.. Directory.GetFiles(host.Output).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
            return Task.CompletedTask;
        };

        var files = await SendAsync(host, protocol, host.Headers());

        Assert.Equal(["image1.jpg", "never-completed.jpg.partial", "progress"], during);
        Assert.Equal(["image1.jpg"], files);
        seen!.Progress!.Report(100);
        Assert.Throws<InferenceException>(() => seen.Outputs!.Create("late"));
        Assert.Equal(["image1.jpg"], host.Scan());
        Assert.False(File.Exists(Path.Combine(host.Output, "progress")));
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Files_OfAFunctionThatFails_AreRemoved(Protocols protocol)
    {
        await using var host = await NvcfHost.StartAsync();
        host.Function.Body = context =>
        {
            using var image = context!.Outputs!.Create("image1.jpg");
            image.Complete();
            context.Progress!.Report(double.NaN);
            return Task.CompletedTask;
        };

        var message = await FailAsync(host, protocol);

        Assert.Contains("got NaN", message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(host.Output));
    }

    [Theory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Report_PartialThatIsTooLarge_IsTheFunctionsError(Protocols protocol)
    {
        await using var host = await NvcfHost.StartAsync();
        host.Function.Body = context =>
        {
            context!.Progress!.Report(1, new byte[300_000]);
            return Task.CompletedTask;
        };

        Assert.Contains("the partial response has 300000 bytes", await FailAsync(host, protocol), StringComparison.Ordinal);
    }

    /// <summary>Sends a request that must succeed, and gives the files that lie in the output directory then.</summary>
    private static async Task<string[]> SendAsync(NvcfHost host, Protocols protocol, (string, string)[] headers)
    {
        if (protocol == Protocols.Http)
        {
            var answer = await host.PostAsync(Target, Body, headers);
            Assert.True(answer.Status == 200, answer.Text);
            return answer.Seen;
        }

        var reply = await host.CallAsync(Request(), headers);
        Assert.True(reply.Status == GrpcStatusCode.Ok, reply.Message);
        return host.Scan();
    }

    private static async Task<string> FailAsync(NvcfHost host, Protocols protocol)
    {
        if (protocol == Protocols.Grpc)
        {
            var reply = await host.CallAsync(Request(), host.Headers());
            Assert.NotEqual(GrpcStatusCode.Ok, reply.Status);
            return reply.Message;
        }

        var answer = await host.PostAsync(Target, Body, host.Headers());
        Assert.Equal(500, answer.Status);
        Assert.Empty(answer.Seen);
        return answer.Error;
    }

    private static Runtime.Protocol.ModelInferRequest Request()
    {
        var request = TestRequests.Infer("function", 7);
        request.Inputs[0].Shape.RemoveAt(0);
        return request;
    }
}
