using System.Text.Json;

namespace Runtime.Host.NvcfTest.Checks;

/// <summary>Requests of several kinds, one after the other.</summary>
internal static class RequestChecks
{
    private static readonly byte[] Malformed = "{\"inputs\": [ {"u8.ToArray();

    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("json", Level.Recommended, "Answers JSON: what the platform's clients and its own local validation expect.", JsonAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("header-case", Level.Required, "Takes header names in any case: proxies and HTTP/2 send them in lower case.", HeaderCaseAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("client-headers", Level.Required, "Is not disturbed by headers that it does not know: the platform passes on whatever the client sends.", ClientHeadersAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("slow-request", Level.Required, "Answers a request that outlasts the poll limit on the connection that it came by: clients are told 202 meanwhile, the function's request stays open.", SlowAsync)
        {
            Inapplicable = settings => CheckTable.WithoutHttp(settings) ?? (settings.SlowBody is null ? "no --slow-body" : null),
        },
        new("bad-body", Level.Recommended, "Refuses a malformed body with a status from 400 to 499: 5xx and silence look like a broken function.", BadBodyAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("unknown-path", Level.Recommended, "Refuses unknown paths and methods with a status from 400 to 499: the platform passes on the caller's path and method.", UnknownPathAsync) { Inapplicable = CheckTable.WithoutHttp },
    ];

    private static async Task<Finding> JsonAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var answer = await platform.InvokeAsync(platform.Plain, cancellation);
        try
        {
            using var document = JsonDocument.Parse(answer.Body);
            return Finding.Pass($"{document.RootElement.ValueKind}, {answer.ContentType}");
        }
        catch (JsonException)
        {
            return Finding.Fail(answer.Summary);
        }
    }

    private static async Task<Finding> HeaderCaseAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => CheckTable.Good(await platform.InvokeAsync(platform.Plain with { HasLowerCaseHeaders = true }, cancellation));

    private static async Task<Finding> ClientHeadersAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => CheckTable.Good(await platform.InvokeAsync(platform.Plain with { Headers = [("X-Client", "nvcf-test"), ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("Accept-Language", "en")] }, cancellation));

    private static async Task<Finding> SlowAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var answer = await platform.InvokeAsync(platform.Plain with { Body = platform.Settings.SlowBody! }, cancellation);
        return !answer.IsGood ? Finding.Fail($"after {answer.Polls} polls: {answer.Summary}")
            : answer.Polls == 0 ? Finding.None($"--slow-body was answered within the poll limit of {platform.Settings.PollLimit.TotalSeconds} s")
            : Finding.Pass($"202 to {answer.Polls} polls, then {answer.Summary}");
    }

    private static async Task<Finding> BadBodyAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var answer = await platform.InvokeAsync(platform.Plain with { Body = Malformed }, cancellation);
        return IsRefused(answer) ? Finding.Pass(answer.Summary)
            : answer.IsGood ? Finding.None("it takes bodies of any form")
            : Finding.Fail(answer.Summary);
    }

    private static async Task<Finding> UnknownPathAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var path = await platform.InvokeAsync(platform.Plain with { Path = "/nvcf-test/there-is-no-such-path" }, cancellation);
        var method = await platform.InvokeAsync(platform.Plain with { Method = HttpMethod.Patch }, cancellation);
        return IsRefused(path) && IsRefused(method) ? Finding.Pass($"{path.Status} and {method.Status}") : Finding.Fail(IsRefused(path) ? $"PATCH: {method.Summary}" : path.Summary);
    }

    private static bool IsRefused(Answer answer) => answer.Fault is null && answer.Status is >= 400 and < 500;
}
