using System.Text;
using Microsoft.AspNetCore.Http;
using Runtime.Host.NvcfTest;
using Runtime.Host.Tests.Http;

namespace Runtime.Host.Tests.NvcfTest;

/// <summary>A small function that does everything right, but for what a test has it do wrong.</summary>
internal sealed class BadFunction
{
    public const string Inference = "/echo";
    public const int Oversized = 100_000;

    public static readonly byte[] Body = """{"message":"hello"}"""u8.ToArray();

    /// <summary>Answers the health path.</summary>
    public Func<HttpContext, Task> Health { get; init; } = _ => Task.CompletedTask;

    /// <summary>Answers a good request, whose output directory is the text.</summary>
    public Func<HttpContext, string, Task> Answer { get; init; } = (context, _) => context.Response.WriteAsync("\"hello\"");

    /// <summary>A request for an asset; null for a function that takes none.</summary>
    public byte[]? AssetBody { get; init; }

    /// <summary>Answers a bad one.</summary>
    public string Error { get; init; } = """{"error":"no"}""";

    /// <summary>Tests it; the settings are what the test makes of the usual ones.</summary>
    public async Task<TestReport> TestAsync(Action<RunEvent>? observe = null, Func<TestSettings, TestSettings>? configure = null)
    {
        await using var server = await LocalServer.StartAsync(HandleAsync);
        var settings = new TestSettings
        {
            Url = server.Client.BaseAddress!,
            Health = "/health",
            Inference = Inference,
            Body = Body,
            AssetBody = AssetBody,
            Concurrency = 2,
            OversizedBody = Oversized,
            HealthTimeout = TimeSpan.FromSeconds(1),
        };
        return await TestRun.RunAsync(configure?.Invoke(settings) ?? settings, observe ?? (_ => { }), CancellationToken.None);
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (context.Request.Path == "/health")
        {
            await Health(context);
            return;
        }

        context.Response.ContentType = "application/json";
        using var body = new StreamReader(context.Request.Body, Encoding.UTF8);
        var isGood = context.Request.Path == Inference && context.Request.Method == "POST" && (await body.ReadToEndAsync(context.RequestAborted)).EndsWith('}');
        if (isGood)
        {
            await Answer(context, context.Request.Headers["NVCF-LARGE-OUTPUT-DIR"].ToString());
            return;
        }

        context.Response.StatusCode = 400;
        await context.Response.WriteAsync(Error);
    }
}
