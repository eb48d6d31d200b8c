using Microsoft.AspNetCore.Http;
using Runtime.Host.NvcfTest;

namespace Runtime.Host.Tests.NvcfTest;

/// <summary>Functions that break one rule each: the test names that one and no other.</summary>
public sealed class BadFunctionTests
{
    [Fact]
    public async Task Run_FunctionThatKeepsTheRules_Passes()
    {
        var report = await new BadFunction().TestAsync();

        Assert.True(report.IsGood);
        Assert.Equal([], Failed(report));
    }

    [Fact]
    public async Task Run_Answers202_FailsJustThat()
    {
        var report = await new BadFunction
        {
            Answer = (context, _) =>
            {
                context.Response.StatusCode = 202;
                return context.Response.WriteAsync("{}");
            },
        }.TestAsync();

        Assert.False(report.IsGood);
        Assert.Equal(["never-202"], Failed(report));
    }

    [Theory]
    [InlineData("""{"detail":"no"}""")]
    [InlineData("""{"error":{"message":"no"}}""")]
    [InlineData("no")]
    [InlineData("")]
    public async Task Run_ErrorsWithoutTheirText_FailsJustThat(string error)
    {
        var report = await new BadFunction { Error = error }.TestAsync();

        Assert.False(report.IsGood);
        Assert.Equal(["errors"], Failed(report));
    }

    [Fact]
    public async Task Run_LeavesAPartialFile_FailsJustThat()
    {
        var report = await new BadFunction
        {
            Answer = async (context, output) =>
            {
                await File.WriteAllTextAsync(Path.Combine(output, "image1.partial"), "half");
                await context.Response.WriteAsync("{}");
            },
        }.TestAsync();

        Assert.Equal(["outputs-complete"], Failed(report));
        Assert.Contains("image1.partial", Detail(report, "outputs-complete"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AddsAFileAfterTheHeaders_FailsJustThat()
    {
        var requests = 0;
        var report = await new BadFunction
        {
            Answer = async (context, output) =>
            {
                await context.Response.WriteAsync("{}");
                if (Interlocked.Increment(ref requests) == 1)
                {
                    // More than sockets hold: it is only taken once the platform has seen the headers.
                    await context.Response.Body.WriteAsync(Enumerable.Repeat((byte)' ', 32 << 20).ToArray());
                    await File.WriteAllTextAsync(Path.Combine(output, "late.txt"), "late");
                }
            },
        }.TestAsync();

        Assert.Equal(["outputs-quiet"], Failed(report));
    }

    [Fact]
    public async Task Run_ProgressFalls_FailsJustThat()
    {
        var requests = 0;
        var isSeen = new SemaphoreSlim(0);
        var report = await new BadFunction
        {
            Answer = async (context, output) =>
            {
                foreach (var percent in Interlocked.Increment(ref requests) == 1 ? new[] { 60, 40 } : [])
                {
                    await WriteProgressAsync(context, output, $"{percent}");
                    await isSeen.WaitAsync(context.RequestAborted);
                }

                await context.Response.WriteAsync("{}");
            },
        }.TestAsync(seen =>
        {
            if (seen.Percent is not null)
            {
                isSeen.Release();
            }
        });

        Assert.True(report.IsGood);
        Assert.Equal(["progress-rises"], Failed(report));
        Assert.Equal("60, 40", Detail(report, "progress-rises"));
    }

    [Theory]
    [InlineData("50.5")]
    [InlineData("\"50\"")]
    [InlineData("101")]
    [InlineData("50, \"partialResponse\": []")]
    [InlineData("50, \"id\": \"another\"")]
    [InlineData("50, ")]
    public async Task Run_ProgressThatThePlatformIgnores_FailsJustThat(string progress)
    {
        var report = await new BadFunction
        {
            Answer = async (context, output) =>
            {
                await WriteProgressAsync(context, output, progress);
                await context.Response.WriteAsync("{}");
            },
        }.TestAsync();

        Assert.Equal(["progress-valid"], Failed(report));
    }

    [Fact]
    public async Task Run_NeverHealthy_FailsThatAndRunsNoMore()
    {
        var report = await new BadFunction
        {
            Health = context =>
            {
                context.Response.StatusCode = 503;
                return Task.CompletedTask;
            },
        }.TestAsync();

        Assert.Equal(["health"], Failed(report));
        Assert.Contains("/health answers 503", Detail(report, "health"), StringComparison.Ordinal);
        Assert.Equal(Outcome.NotRun, Find(report, "invoke").Outcome);
    }

    [Fact]
    public async Task Run_StreamWithoutAnEnd_FailsJustThat()
    {
        var report = await new BadFunction
        {
            Answer = (context, _) =>
            {
                var streams = context.Request.Headers.Accept == "text/event-stream";
                context.Response.ContentType = streams ? "text/event-stream" : "application/json";
                return context.Response.WriteAsync(streams ? "data: hello\n\ndata: cut" : "{}");
            },
        }.TestAsync();

        Assert.Equal(["stream"], Failed(report));
    }

    [Fact]
    public async Task Run_ServesNoMoreOnceClientsLeft_FailsJustThat()
    {
        var check = "";
        var report = await new BadFunction
        {
            Answer = (context, _) =>
            {
                context.Response.StatusCode = Volatile.Read(ref check) == "disconnect" ? 503 : 200;
                return context.Response.WriteAsync("""{"error":"no place"}""");
            },
        }.TestAsync(seen => Volatile.Write(ref check, seen.Check));

        Assert.Equal(["disconnect"], Failed(report));
        Assert.Contains("503", Detail(report, "disconnect"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_BreaksTheConnectionOfALargeBody_FailsJustThat()
    {
        var report = await new BadFunction
        {
            Answer = (context, _) =>
            {
                if (context.Request.ContentLength >= BadFunction.Oversized)
                {
                    context.Abort();
                    return Task.CompletedTask;
                }

                return context.Response.WriteAsync("{}");
            },
        }.TestAsync();

        Assert.Equal(["oversized-body"], Failed(report));
    }

    [Fact]
    public async Task Run_ShowsAnotherRequestsFile_FailsJustThat()
    {
        var report = await new BadFunction
        {
            AssetBody = """{"file":"ASSET_ID"}"""u8.ToArray(),
            Answer = async (context, _) =>
            {
                var path = Path.Combine(context.Request.Headers["NVCF-ASSET-DIR"].ToString(), context.Request.Headers["NVCF-FUNCTION-ASSET-IDS"].ToString().Split(',')[0]);
                await context.Response.WriteAsync(File.Exists(path) ? $"\"{await File.ReadAllTextAsync(path)}\"" : "{}");
            },
        }.TestAsync();

        Assert.Equal(["asset-hostile"], Failed(report));
    }

    [Fact]
    public async Task Run_WritesIntoConfig_FailsJustThat()
    {
        var root = Directory.CreateTempSubdirectory("nvcf-test");
        try
        {
            var report = await new BadFunction
            {
                Answer = async (context, _) =>
                {
                    await File.WriteAllTextAsync(Path.Combine(root.FullName, $"cache-{context.TraceIdentifier.Replace(':', '-')}"), "");
                    await context.Response.WriteAsync("{}");
                },
            }.TestAsync(configure: settings => settings with { ConfigDirectory = root.FullName });

            Assert.Equal(["config-untouched"], Failed(report));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Run_DirectoriesWithAnotherNameInTheContainer_AreGivenByThatName()
    {
        var root = Directory.CreateTempSubdirectory("nvcf-test");
        try
        {
            var report = await new BadFunction
            {
                Answer = async (context, output) =>
                {
                    Assert.Equal($"/var/inf/response/{context.Request.Headers["NVCF-REQID"]}", output);
                    await File.WriteAllTextAsync(Path.Combine(root.FullName, Path.GetRelativePath("/var/inf", output), "image1.partial"), "half");
                    await context.Response.WriteAsync("{}");
                },
            }.TestAsync(configure: settings => settings with { Directory = root.FullName, ContainerDirectory = "/var/inf" });

            Assert.Equal(["outputs-complete"], Failed(report));
            Assert.Empty(Directory.GetFiles(root.FullName, "*", SearchOption.AllDirectories));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static Task WriteProgressAsync(HttpContext context, string output, string progress)
        => File.WriteAllTextAsync(Path.Combine(output, "progress"), $$"""{"id":"{{context.Request.Headers["NVCF-REQID"]}}","progress":{{progress}}}""");

    private static string[] Failed(TestReport report) => [.. report.Results.Where(result => result.Finding.Outcome == Outcome.Failed).Select(result => result.Check.Name)];

    private static Finding Find(TestReport report, string check) => Assert.Single(report.Results, result => result.Check.Name == check).Finding;

    private static string Detail(TestReport report, string check) => Find(report, check).Detail;
}
