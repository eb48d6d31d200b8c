using System.Net;
using System.Net.Sockets;
using System.Text;
using Runtime.Host.NvcfTest;
using Runtime.Host.Tests.Nvcf;

namespace Runtime.Host.Tests.NvcfTest;

/// <summary>The platform's part against this host, in this process and in one of its own.</summary>
public sealed class NvcfTestTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("nvcf-test");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Run_ThisHost_MeetsEveryRequirement()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { HttpMaxInputSize = 100_000 });
        var settings = Settings(host, "/v2/models/text/infer", """{"inputs":[{"name":"X","shape":[1],"datatype":"BYTES","data":["hello"]}]}""") with
        {
            Stream = "/v2/models/repeat/generate_stream",
            StreamBody = """{"IN":[1,2],"DELAY":[0,0],"WAIT":[0]}"""u8.ToArray(),
            AssetBody = """{"inputs":[{"name":"X","shape":[1],"datatype":"BYTES","parameters":{"asset_id":"ASSET_ID"}}]}"""u8.ToArray(),
        };

        var report = await TestRun.RunAsync(settings, _ => { }, CancellationToken.None);

        Assert.True(report.IsGood, Text(report));
        Assert.Equal(["config-untouched", "drain", "exit", "progress-rises", "progress-valid", "restart", "slow-request"], Named(report, result => result.Finding.Outcome != Outcome.Passed));
    }

    [Fact]
    public async Task Run_ProgressAndSlowRequests_AreFollowed()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { HttpMaxInputSize = 100_000 });
        var check = "";
        var shown = new TaskCompletionSource();
        var polled = new TaskCompletionSource();
        host.Function.Body = async context =>
        {
            if (Volatile.Read(ref check) == "slow-request")
            {
                context!.Progress!.Report(40.4, """{"page":2}"""u8.ToArray());
                await Task.WhenAll(shown.Task, polled.Task);
            }
        };
        var body = """{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","data":[7]}]}""";
        var settings = Settings(host, "/v2/models/function/infer", body) with { SlowBody = Encoding.UTF8.GetBytes(body), PollLimit = TimeSpan.FromMilliseconds(20) };

        var report = await TestRun.RunAsync(settings, seen =>
        {
            Volatile.Write(ref check, seen.Check);
            _ = seen.Activity.Contains("NVCF-PERCENT-COMPLETE: 40, {\"page\":2}", StringComparison.Ordinal) && shown.TrySetResult();
            _ = seen.Check == "slow-request" && seen.Activity.Contains("asks again", StringComparison.Ordinal) && polled.TrySetResult();
        }, CancellationToken.None);

        Assert.True(report.IsGood, Text(report));
        Assert.All((string[])["slow-request", "progress-valid", "progress-rises"], name => Assert.Contains(name, Named(report, result => result.Finding.Outcome == Outcome.Passed)));
    }

    [Fact]
    public async Task Run_GrpcFunction_IsAskedForItsHealth()
    {
        await using var host = await NvcfHost.StartAsync();

        var report = await TestRun.RunAsync(new TestSettings { GrpcUrl = new Uri($"http://{host.Server.GrpcAddress}") }, _ => { }, CancellationToken.None);

        Assert.True(report.IsGood, Text(report));
        Assert.Equal(["grpc-health", "health", "health-after", "ports"], Named(report, result => result.Finding.Outcome == Outcome.Passed));
    }

    [Fact]
    public async Task Run_Command_IsStoppedUnderLoadAndStartedAgain()
    {
        var model = _directory.CreateSubdirectory("models").CreateSubdirectory("text").FullName;
        NvcfHost.WriteModel(model, NvcfHost.Repeats("identity", "TYPE_STRING"));
        var (http, pid) = (FreePort(), Path.Combine(_directory.FullName, "pid"));
        var serve = $"'{Environment.ProcessPath}' '{Path.Combine(AppContext.BaseDirectory, "runtime-host.dll")}' --model-repository '{Path.GetDirectoryName(model)}' --http-address 127.0.0.1 --http-port {http} --allow-grpc=false --allow-metrics=false";
        var settings = new TestSettings
        {
            Url = new Uri($"http://127.0.0.1:{http}"),
            Inference = "/v2/models/text/infer",
            Body = """{"inputs":[{"name":"X","shape":[1],"datatype":"BYTES","data":["hello"]}]}"""u8.ToArray(),
            Command = $"/bin/sh -c \"echo \\$\\$ > '{pid}'; exec {serve}\"",
        };
        var mapped = "";

        var report = await TestRun.RunAsync(settings, seen => mapped = seen.Check == "health-after" ? File.ReadAllText($"/proc/{File.ReadAllText(pid).Trim()}/maps") : mapped, CancellationToken.None);

        Assert.True(report.IsGood, Text(report));
        Assert.All((string[])["drain", "exit", "restart"], name => Assert.Contains(name, Named(report, result => result.Finding.Outcome == Outcome.Passed)));
        Assert.Contains("runtime-host.dll", mapped, StringComparison.Ordinal);
        Assert.DoesNotContain("Spectre.Console", mapped, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CommandThatEnds_FailsAtOnceWithWhatItWrote()
    {
        var settings = new TestSettings { Url = new Uri($"http://127.0.0.1:{FreePort()}"), Inference = "/", Body = [1], Command = "/bin/sh -c \"echo no model here; exit 3\"" };

        var report = await TestRun.RunAsync(settings, _ => { }, CancellationToken.None);

        Assert.False(report.IsGood);
        Assert.Contains("the process ended with 3: no model here", Text(report), StringComparison.Ordinal);
    }

    private static TestSettings Settings(NvcfHost host, string inference, string body) => new()
    {
        Url = new Uri($"http://{host.Server.HttpAddress}"),
        GrpcUrl = new Uri($"http://{host.Server.GrpcAddress}"),
        Inference = inference,
        Body = Encoding.UTF8.GetBytes(body),
        OversizedBody = 100_001,
    };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string[] Named(TestReport report, Func<CheckResult, bool> isWanted)
        => [.. report.Results.Where(isWanted).Select(result => result.Check.Name).Order(StringComparer.Ordinal)];

    private static string Text(TestReport report)
        => string.Join('\n', report.Results.Select(result => $"{result.Check.Name}: {result.Finding.Outcome}, {result.Finding.Detail}"));
}
