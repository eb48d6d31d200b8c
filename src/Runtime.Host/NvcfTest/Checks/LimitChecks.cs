namespace Runtime.Host.NvcfTest.Checks;

/// <summary>More at once, more in one body, and clients that leave.</summary>
internal static class LimitChecks
{
    private static readonly TimeSpan Stay = TimeSpan.FromMilliseconds(100);

    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("concurrency", Level.Required, "Answers as many requests at once as its maxRequestConcurrency says (--concurrency): the platform sends that many.", ConcurrencyAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("over-concurrency", Level.Recommended, "Answers or refuses each of four times as many, and serves on: retries pile up just when a function is slow.", OverConcurrencyAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("oversized-body", Level.Required, "Refuses, or takes, a body over its limit (--oversized-body) with an answer and no broken connection: the platform reports that as its own fault.", OversizedAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("disconnect", Level.Required, "Serves on when clients leave in the middle of a request: a cancelled or unpolled request looks like that, and its place must come free.", DisconnectAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("health-after", Level.Required, "Is still healthy after all of that: an unhealthy function gets no more requests.", HealthAfterAsync),
    ];

    private static async Task<Finding> ConcurrencyAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var count = platform.Settings.Concurrency;
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => platform.InvokeAsync(platform.Plain, cancellation)));
        return Array.Find(answers, answer => !answer.IsGood) is { } bad ? Finding.Fail($"one of {count}: {bad.Summary}") : Finding.Pass($"{count} at once");
    }

    private static async Task<Finding> OverConcurrencyAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var count = 4 * platform.Settings.Concurrency;
        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => platform.InvokeAsync(platform.Plain, cancellation)));
        if (Array.Find(answers, answer => answer.Fault is not null) is { } lost)
        {
            return Finding.Fail($"one of {count}: {lost.Summary}");
        }

        var after = await platform.InvokeAsync(platform.Plain, cancellation);
        return after.IsGood ? Finding.Pass($"{answers.Count(answer => answer.IsGood)} of {count} answered, {answers.Count(answer => !answer.IsGood)} refused") : Finding.Fail($"afterwards: {after.Summary}");
    }

    private static async Task<Finding> OversizedAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var size = platform.Settings.OversizedBody;
        var answer = await platform.InvokeAsync(platform.Plain with { PaddingByteSize = Math.Max(1, size - platform.Settings.Body.Length) }, cancellation);
        return answer.Fault is not null || answer.Status >= 500 ? Finding.Fail($"{size} bytes: {answer.Summary}")
            : answer.IsGood ? Finding.Pass($"takes {size} bytes")
            : Finding.Pass($"{size} bytes: {answer.Summary}");
    }

    private static async Task<Finding> DisconnectAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var settings = platform.Settings;
        var left = platform.Plain with { Body = settings.SlowBody ?? settings.Body };
        var count = 2 * settings.Concurrency;
        for (var i = 0; i < count; i++)
        {
            // In the middle of the body, right after it, and while the answer is on its way.
            using var request = await platform.OpenAsync(left, expectsContinue: false, cancellation);
            await request.SendAsync(i % 3 == 0 ? 0.5 : 1, cancellation);
            if (i % 3 == 2)
            {
                await request.ReadStatusAsync(Stay, cancellation);
            }
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, settings.Concurrency).Select(_ => platform.InvokeAsync(platform.Plain, cancellation)));
        return Array.Find(answers, answer => !answer.IsGood) is { } bad ? Finding.Fail($"after {count} clients left: {bad.Summary}") : Finding.Pass($"{count} clients left, {answers.Length} requests at once answered after them");
    }

    private static async Task<Finding> HealthAfterAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => await platform.Health.AskAsync(cancellation) is { } fault ? Finding.Fail(fault) : Finding.Pass("healthy");
}
