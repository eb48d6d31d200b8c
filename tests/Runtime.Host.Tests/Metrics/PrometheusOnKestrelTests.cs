using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Runtime.Host.Metrics;
using Runtime.Host.Tests.Http;

namespace Runtime.Host.Tests.Metrics;

public sealed class PrometheusOnKestrelTests
{
    [Fact]
    public async Task HandleAsync_MoreThanABlockOfText_ArrivesWhole()
    {
        await using var models = new RouterHarness();
        models.AddModel("m", [.. Enumerable.Range(1, 50)]);
        Assert.Null(await models.Models.LoadAsync("m", null, CancellationToken.None));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var server = builder.Build();
        server.Run(new PrometheusEndpoint(models.Models).HandleAsync);
        await server.StartAsync();
        using var client = new HttpClient();

        var answer = await client.GetAsync(new Uri(server.Urls.Single() + "/metrics"));

        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(50 * (15 + (2 * 21) + 14), lines.Count(line => line.Contains("model=\"m\"", StringComparison.Ordinal)));
        Assert.Contains("nv_inference_pending_request_count{model=\"m\",version=\"50\"} 0", lines);
    }
}
