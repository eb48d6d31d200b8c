using System.Diagnostics;

namespace Runtime.Host.NvcfTest.Checks;

/// <summary>SIGTERM, and a new start after it.</summary>
internal static class StopChecks
{
    private static readonly TimeSpan MostToStop = TimeSpan.FromSeconds(110);
    private static readonly TimeSpan MostToBeAsked = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MostToNotice = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("drain", Level.Required, "Answers the request that is in it when SIGTERM comes: instances are taken away under load.", DrainAsync)
        {
            Inapplicable = settings => CheckTable.WithoutHttp(settings) ?? WithoutCommand(settings),
        },
        new("exit", Level.Required, "Ends with 0 within 110 seconds after SIGTERM: 120 seconds after it the platform kills.", ExitAsync) { Inapplicable = WithoutCommand },
        new("restart", Level.Required, "Starts again and answers as before: the platform restarts containers at any time.", RestartAsync) { Inapplicable = WithoutCommand },
    ];

    private static string? WithoutCommand(TestSettings settings) => settings.Command is null ? "no --command" : null;

    private static async Task<Finding> DrainAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        // The server asks for the body once it has let the request in; one that never asks gets half of it all the same.
        using var request = await platform.OpenAsync(platform.Plain, expectsContinue: true, cancellation);
        var asked = await request.ReadStatusAsync(MostToBeAsked, cancellation);
        if (asked is not (null or 100))
        {
            return Finding.Fail($"{asked} before the body was sent");
        }

        await request.SendAsync(0.5, cancellation);
        platform.Process!.Terminate();
        var start = Stopwatch.GetTimestamp();
        while (await platform.Health.AskAsync(cancellation) is null && Stopwatch.GetElapsedTime(start) < MostToNotice)
        {
            await Task.Delay(Pause, cancellation);
        }

        await request.SendAsync(1, cancellation);
        var status = await request.ReadStatusAsync(platform.Settings.Timeout, cancellation);
        return status is >= 200 and < 400 ? Finding.Pass($"{status}") : Finding.Fail(status is null ? "its connection was closed" : $"{status}");
    }

    private static async Task<Finding> ExitAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var process = platform.Process!;
        process.Terminate();
        return await process.WaitAsync(MostToStop, cancellation) is not { } took ? Finding.Fail($"it still runs after {MostToStop.TotalSeconds} s")
            : process.ExitCode != 0 ? Finding.Fail($"it ended with {process.ExitCode}: {process.LastLines}")
            : Finding.Pass($"0 after {took.TotalSeconds:F1} s");
    }

    private static async Task<Finding> RestartAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        platform.Process!.Dispose();
        platform.Process = FunctionProcess.Start(platform.Settings.Command!);
        var start = Stopwatch.GetTimestamp();
        if (await platform.Health.WaitAsync(platform.Process, cancellation) is { } fault)
        {
            return Finding.Fail(fault);
        }

        var ready = $"healthy after {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s";
        return platform.Settings.Inference is null ? Finding.Pass(ready)
            : await platform.InvokeAsync(platform.Plain, cancellation) is { IsGood: false } answer ? Finding.Fail(answer.Summary)
            : Finding.Pass(ready);
    }
}
