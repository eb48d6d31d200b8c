using System.Diagnostics;
using System.Net.Sockets;
using Runtime.Host.Lifecycle;
using Runtime.Host.NvcfTest.Checks;

namespace Runtime.Host.NvcfTest;

/// <summary>What the test is at.</summary>
/// <param name="Check">The check that runs.</param>
/// <param name="Done">How many are over.</param>
/// <param name="Count">How many there are.</param>
/// <param name="Activity">What the check's request is at; empty between requests.</param>
/// <param name="Percent">The request's progress, where it has told any.</param>
internal sealed record RunEvent(string Check, int Done, int Count, string Activity, int? Percent);

/// <summary>Every check with what was found.</summary>
internal sealed record TestReport(TestSettings Settings, IReadOnlyList<CheckResult> Results)
{
    /// <summary>Whether nothing failed that is required.</summary>
    public bool IsGood => !Results.Any(result => result.FailsTest);
}

/// <summary>Runs the checks against one function, one after the other.</summary>
internal static class TestRun
{
    /// <exception cref="StartException">The function that the settings tell to start cannot be started.</exception>
    public static async Task<TestReport> RunAsync(TestSettings settings, Action<RunEvent> observe, CancellationToken cancellation)
    {
        var checks = CheckTable.All;
        var results = new List<CheckResult>();
        using var platform = new SimulatedPlatform(settings, (activity, percent) => observe(new RunEvent(checks[Math.Min(results.Count, checks.Count - 1)].Name, results.Count, checks.Count, activity, percent)));
        await StartAsync(platform, cancellation);
        var stop = "";
        foreach (var check in checks)
        {
            platform.Tell("");
            var start = Stopwatch.GetTimestamp();
            var finding = check.Inapplicable(settings) is { } reason ? Finding.None(reason)
                : stop.Length > 0 ? new Finding(Outcome.NotRun, stop)
                : await RunAsync(check, platform, cancellation);
            results.Add(new CheckResult(check, finding, Stopwatch.GetElapsedTime(start)));
            stop = stop.Length > 0 ? stop
                : cancellation.IsCancellationRequested ? "the test was ended"
                : check.IsGate && finding.Outcome == Outcome.Failed ? $"'{check.Name}' failed"
                : "";
        }

        return new TestReport(settings, results);
    }

    private static async Task StartAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        if (platform.Settings.Command is not { } command)
        {
            return;
        }

        if (await platform.IsTakenAsync(cancellation))
        {
            throw new StartException("nvcf-test: something listens already where --command is to serve; end it, or leave --command out to test it");
        }

        platform.Process = FunctionProcess.Start(command);
    }

    private static async Task<Finding> RunAsync(FunctionCheck check, SimulatedPlatform platform, CancellationToken cancellation)
    {
        try
        {
            return await check.RunAsync(platform, cancellation);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException or HttpRequestException)
        {
            return Finding.Fail(exception.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return new Finding(Outcome.NotRun, "the test was ended");
        }
    }
}
