namespace Runtime.Host.NvcfTest.Checks;

/// <summary>The progress files of all requests.</summary>
internal static class ProgressChecks
{
    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("progress-valid", Level.Required, "Writes the file progress, if at all, as the platform reads it: the request's id, a whole number from 0 to 100, an object or null as partialResponse, under 250 KB. Others are ignored in silence.", ValidAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("progress-rises", Level.Recommended, "Progress never falls: clients show it as it comes.", RisesAsync) { Inapplicable = CheckTable.WithoutHttp },
    ];

    private static Task<Finding> ValidAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        ProgressUpdate[] updates = [.. platform.Answers.SelectMany(answer => answer.Progress)];
        return Task.FromResult(updates.Length == 0 ? Finding.None("no request wrote progress while it was looked for")
            : Array.Find(updates, update => update.Fault is not null) is { Fault: { } fault } ? Finding.Fail(fault)
            : Finding.Pass($"{updates.Length} updates: {string.Join(", ", updates.Take(12).Select(update => $"{update.Percent} %"))}"));
    }

    private static Task<Finding> RisesAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        int[][] rows = [.. platform.Answers.Select(answer => answer.Progress.Where(update => update.Fault is null).Select(update => update.Percent).ToArray()).Where(row => row.Length > 0)];
        var falling = Array.Find(rows, row => row.Zip(row.Skip(1)).Any(pair => pair.Second < pair.First));
        return Task.FromResult(rows.Length == 0 ? Finding.None("no request wrote progress while it was looked for")
            : falling is null ? Finding.Pass($"in {rows.Length} requests")
            : Finding.Fail(string.Join(", ", falling.Take(12))));
    }
}
