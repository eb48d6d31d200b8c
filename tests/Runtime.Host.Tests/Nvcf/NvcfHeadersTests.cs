using Microsoft.AspNetCore.Http;
using Runtime.Host.Grpc;
using Runtime.Host.Http;
using Runtime.Host.Nvcf;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Http;
using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Nvcf;

public sealed class NvcfHeadersTests
{
    private static readonly HostOptions Function = new() { Nvcf = "true" };

    /// <summary>Every header of the platform's table, in each spelling, through a real server.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TryRead_AllHeadersInAnyCase_AreThereUnderTheirNames(int spelling)
    {
        RequestContext? seen = null;
        await using var server = await LocalServer.StartAsync(context =>
        {
            using var request = new NvcfConventions(Function).TryBegin(context.Request.Headers);
            seen = request!.Context;
            return Task.CompletedTask;
        });
        using var message = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var name in NvcfHeaders.Names)
        {
            message.Headers.TryAddWithoutValidation(spelling == 0 ? name : spelling == 1 ? name.ToLowerInvariant() : name.ToUpperInvariant(), "value of " + name);
        }

        (await server.Client.SendAsync(message)).Dispose();

        Assert.Equal(17, seen!.Headers.Count);
        Assert.Equal(NvcfHeaders.Names.Select(name => KeyValuePair.Create(name, "value of " + name)), seen.Headers);
        Assert.Equal("value of NVCF-NSPECTID", seen.Headers["nvcf-nSPECTid"]);
        Assert.Equal("value of NVCF-REQID", seen.RequestId);
        Assert.Equal(5_000_000, seen.MaxResponseByteSize);
    }

    [Theory]
    [InlineData("NVCF-REQID")]
    [InlineData("NVCF-SUB")]
    [InlineData("NVCF-NCAID")]
    [InlineData("NVCF-FUNCTION-NAME")]
    [InlineData("NVCF-FUNCTION-ID")]
    [InlineData("NVCF-FUNCTION-VERSION-ID")]
    [InlineData("NVCF-ASSET-DIR")]
    [InlineData("NVCF-LARGE-OUTPUT-DIR")]
    [InlineData("NVCF-MAX-RESPONSE-SIZE-BYTES")]
    [InlineData("NVCF-NSPECTID")]
    [InlineData("NVCF-BACKEND")]
    [InlineData("NVCF-INSTANCETYPE")]
    [InlineData("NVCF-REGION")]
    [InlineData("NVCF-ENV")]
    [InlineData("NVCF-FUNCTION-ASSET-IDS")]
    [InlineData("NVCF-INVOCATION-REGION")]
    [InlineData("nvcf-poll-seconds")]
    public void Names_OfThePlatformsTable_AreKnown(string name) => Assert.Contains(name, NvcfHeaders.Names);

    [Fact]
    public void TryBegin_SomeHeadersMissing_AreMissing()
    {
        using var request = new NvcfConventions(Function).TryBegin(new HeaderDictionary { ["nvcf-reqid"] = "1", ["nvcf-region"] = "us" });

        Assert.Equal(["NVCF-REQID", "NVCF-REGION"], request!.Context.Headers.Keys);
        Assert.False(request.Context.Headers.ContainsKey("NVCF-ENV"));
        Assert.False(request.Context.Headers.ContainsKey("Authorization"));
        Assert.Throws<KeyNotFoundException>(() => request.Context.Headers["NVCF-ENV"]);
        Assert.Null(request.Context.Outputs);
        Assert.Null(request.Context.Progress);
        Assert.Null(request.Context.Assets);
    }

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("0", 0)]
    [InlineData("-1", 5_000_000)]
    [InlineData("many", 5_000_000)]
    [InlineData("", 5_000_000)]
    public void TryBegin_MaxResponseSize_IsANumberOrThePlatformsDefault(string text, long expected)
    {
        using var request = new NvcfConventions(Function).TryBegin(new HeaderDictionary { ["NVCF-REQID"] = "1", ["NVCF-MAX-RESPONSE-SIZE-BYTES"] = text });

        Assert.Equal(expected, request!.Context.MaxResponseByteSize);
    }

    [Fact]
    public void TryBegin_HostIsNoFunction_IsNull() => Assert.Null(new NvcfConventions(new HostOptions()).TryBegin(new HeaderDictionary { ["NVCF-REQID"] = "1" }));

    [Fact]
    public void TryBegin_NoHeaders_AllocatesNothing()
    {
        var conventions = new NvcfConventions(Function);
        var headers = new HeaderDictionary { ["Content-Type"] = "application/json" };
        conventions.TryBegin(headers);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var request = conventions.TryBegin(headers);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Null(request);
    }

    [Theory]
    [InlineData("(nvcf-.*|NVCF-.*)", "NVCF-REQID,NVCF-SUB,Nvcf-Sub2")]
    [InlineData("NVCF-.*", "NVCF-REQID,NVCF-SUB,Nvcf-Sub2")]
    [InlineData("NVCF-*", "NVCF-REQID,NVCF-SUB,Nvcf-Sub2")]
    [InlineData("sub", "NVCF-SUB,Nvcf-Sub2")]
    [InlineData("^sub", "")]
    [InlineData("sub$", "NVCF-SUB")]
    [InlineData("(?-i)NVCF-S", "NVCF-SUB")]
    [InlineData("(?P<id>reqid)", "NVCF-REQID")]
    [InlineData("sub[[:digit:]]", "Nvcf-Sub2")]
    [InlineData("", "")]
    [InlineData(".*", "NVCF-REQID,NVCF-SUB,Nvcf-Sub2")]
    public void Forwarding_Pattern_FindsPartsOfNamesInAnyCase(string pattern, string expected)
    {
        var headers = new HeaderDictionary { ["NVCF-REQID"] = "1", ["NVCF-SUB"] = "2", ["Nvcf-Sub2"] = "3" };
        foreach (var name in new[] { "sequence_id", "Sequence_Start", "sequence_end", "Priority", "TIMEOUT", "headers", "binary_data_output", "triton_x", "Triton_Y" })
        {
            headers[name] = "1";
        }

        var names = expected.Split(',', StringSplitOptions.RemoveEmptyEntries);
        using var http = new InferenceRequest();
        new HeaderForwarding(pattern).Apply(headers, http);
        Assert.Equal(names.Order(StringComparer.Ordinal), (http.Parameters ?? []).Keys.Order(StringComparer.Ordinal));

        using var grpc = new InferenceRequest();
        new HeaderForwarding(pattern).ApplyMetadata(headers, grpc);
        if (!pattern.StartsWith("(?-i)", StringComparison.Ordinal))
        {
            Assert.Equal(names.Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal), (grpc.Parameters ?? []).Keys.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Forwarding_ParameterOfTheBody_KeepsItsValue()
    {
        using var request = new InferenceRequest { Parameters = new() { ["NVCF-SUB"] = "body" } };

        new HeaderForwarding("NVCF-.*").Apply(new HeaderDictionary { ["NVCF-SUB"] = "header" }, request);

        Assert.Equal("body", request.Parameters["NVCF-SUB"].AsString);
    }

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(a)\\1")]
    public void Compile_WhatLooksAround_IsNoPatternHere(string pattern) => Assert.Throws<NotSupportedException>(() => HeaderForwarding.Compile(pattern));

    /// <summary>Inference and health on one port, for functions over either protocol; both ports at once, so that one image serves both kinds.</summary>
    [Fact]
    public async Task Ports_OfAFunction_ServeInferenceAndHealthEach()
    {
        await using var host = await NvcfHost.StartAsync();
        using var http = new HttpClient();
        using var ready = await http.GetAsync(new Uri($"http://{host.Server.HttpAddress}/v2/health/ready"));
        Assert.Equal(200, (int)ready.StatusCode);
        Assert.Equal(200, (await host.PostAsync("/v2/models/numbers/infer", """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""", host.Headers())).Status);

        var health = await host.Grpc.CallAsync("/grpc.health.v1.Health/Check", new Protocol.Health.HealthCheckRequest());
        Assert.Equal(Protocol.Health.HealthCheckResponse.Types.ServingStatus.Serving, health.Read(Protocol.Health.HealthCheckResponse.Parser).Status);
        var request = TestRequests.Infer("numbers", 7);
        request.Inputs[0].Shape.RemoveAt(0);
        Assert.Equal(GrpcStatusCode.Ok, (await host.CallAsync(request, host.Headers())).Status);
        Assert.Equal(7, request.RawInputContents[0][0]);
    }
}
