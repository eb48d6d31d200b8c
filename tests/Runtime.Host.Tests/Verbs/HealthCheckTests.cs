using Microsoft.AspNetCore.Http;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Host.Verbs;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Verbs;

public sealed class HealthCheckTests
{
    [Theory]
    [InlineData(200, null)]
    [InlineData(503, "answers 503")]
    [InlineData(400, "answers 400")]
    public async Task Ask_OverHttp_FollowsTheStatus(int status, string? fault)
    {
        var asked = "";
        await using var server = await StartAsync(context =>
        {
            asked = context.Request.Method + " " + context.Request.Path;
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        var found = await HealthCheck.AskAsync(Of(server), default);

        Assert.Equal("GET /v2/health/ready", asked);
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_RestrictedHealth_SendsTheHeader()
    {
        await using var server = await StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Headers["key"] == "a=b" ? 200 : 403;
            return Task.CompletedTask;
        });
        var options = Of(server) with { HttpRestrictedApi = ["trace:other=x", "metadata, health:key=a=b"] };

        Assert.Null(await HealthCheck.AskAsync(options, default));
        Assert.Contains("answers 403", await HealthCheck.AskAsync(Of(server), default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_NothingListens_SaysSo()
    {
        var options = new HostOptions();
        await using (var server = await StartAsync(_ => Task.CompletedTask))
        {
            options = Of(server);
        }

        Assert.Contains("does not answer", await HealthCheck.AskAsync(options, default), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ask_HttpIsOff_AsksOverGrpc()
    {
        HostOptions Restrict(HostOptions options) => options with { GrpcRestrictedProtocol = ["health:key=value"] };
        await using var host = await GrpcHost.StartAsync(Restrict);
        var options = Restrict(new HostOptions { AllowHttp = false, GrpcAddress = "127.0.0.1", GrpcPort = host.Address.Port });

        Assert.Null(await HealthCheck.AskAsync(options, default));
        Assert.Contains("not ready", await HealthCheck.AskAsync(options with { GrpcRestrictedProtocol = [] }, default), StringComparison.Ordinal);

        host.State.BeginDraining();
        Assert.Contains("not ready", await HealthCheck.AskAsync(options, default), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/opt/runtime/runtime-host|--http-port|9000|", "--http-port|9000")]
    [InlineData("tritonserver|--http-port=9000|", "--http-port=9000")]
    [InlineData("/sbin/init|--|/usr/local/bin/runtime-host|serve|", "serve")]
    [InlineData("dotnet|/app/runtime-host.dll|--http-port|9000|", "--http-port|9000")]
    [InlineData("runtime-host|", "")]
    [InlineData("/bin/sh|-c|true|", "")]
    [InlineData("", "")]
    public void ArgumentsIn_ALineOfAProcess_AreTheHosts(string line, string expected)
        => Assert.Equal(expected, string.Join('|', HealthCheck.ArgumentsIn(line.Replace('|', '\0'))));

    private static Task<ServerUnderTest> StartAsync(RequestDelegate http)
        => ServerUnderTest.StartAsync(ServerUnderTest.Naming with { Http = http });

    private static HostOptions Of(ServerUnderTest server)
        => ServerUnderTest.FreePorts with { HttpPort = server.Server.HttpAddress!.Port };
}
