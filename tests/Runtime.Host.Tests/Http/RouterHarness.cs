using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Host.Http;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

/// <summary>The router with everything that needs no models.</summary>
internal static class RouterHarness
{
    public static HttpRouter Create(bool allowSharedMemory = false, long maxInputSize = 1 << 20, params string[] restricted)
    {
        var options = new HostOptions { Id = "test", HttpMaxInputSize = maxInputSize };
        var endpoints = new HttpEndpoints(
            null!,
            new MetadataEndpoints(options, null!),
            null!,
            null!,
            new RepositoryEndpoints(options, null!),
            new LoggingEndpoint(options, new LogSettings(options)),
            new TraceEndpoint(options, new TraceSettings(), null!),
            new SharedMemoryEndpoints(options, new SharedMemoryRegions(allowSharedMemory)),
            null!,
            null!);
        return new HttpRouter(endpoints, RestrictedApi.Parse(restricted), NullLogger<HttpRouter>.Instance);
    }

    public static async Task<Answer> SendAsync(this HttpRouter router, string method, string target, string body = "", params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        var answer = new MemoryStream();
        context.Response.Body = answer;
        await router.HandleAsync(context);
        return new Answer(context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()), context.Response.Headers.Allow.ToString());
    }
}

internal sealed record Answer(int Status, string Body, string Allow)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Error => Json.GetProperty("error").GetString()!;
}
