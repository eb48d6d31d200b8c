namespace Runtime.Host.NvcfTest.Checks;

/// <summary>Large answers, what lay in the output directories of all requests when their answers began, and what was written where nothing may be.</summary>
internal static class OutputChecks
{
    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("large-answer", Level.Required, "Answers over NVCF-MAX-RESPONSE-SIZE-BYTES arrive whole, as a body or as files: the platform redirects the client to an archive of both.", LargeAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("outputs-complete", Level.Required, "No *.partial file lies in NVCF-LARGE-OUTPUT-DIR when the headers of the answer leave: whatever is there then is sent to the client.", CompleteAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("outputs-quiet", Level.Required, "No file comes, goes or changes there after the headers: the platform reads them while the body is on its way.", QuietAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("config-untouched", Level.Required, "Writes nothing below /config: the platform mounts it read-only and shares it.", ConfigAsync)
        {
            Inapplicable = settings => settings.ConfigDirectory is null ? "no --config-directory" : null,
        },
    ];

    private static async Task<Finding> LargeAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var body = await platform.InvokeAsync(platform.Plain with { MaxResponseByteSize = 1 }, cancellation);
        var files = await platform.InvokeAsync(platform.Plain with { MaxResponseByteSize = 1, Headers = [(Nvcf.NvcfConventions.LargeResponseHeader, "file")] }, cancellation);
        var bad = new[] { body, files }.FirstOrDefault(answer => !answer.IsGood);
        return bad is null ? Finding.Pass($"{files.Client!.Status}: {files.Client.Text}") : Finding.Fail(bad.Summary);
    }

    private static Task<Finding> CompleteAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var partial = platform.Answers.SelectMany(answer => answer.Artifacts).FirstOrDefault(name => name.EndsWith(".partial", StringComparison.Ordinal));
        return Task.FromResult(partial is null ? Finding.Pass($"{platform.Answers.Sum(answer => answer.Artifacts.Count)} complete files") : Finding.Fail($"'{partial}' would be sent"));
    }

    private static Task<Finding> ConfigAsync(SimulatedPlatform platform, CancellationToken cancellation)
        => Task.FromResult(platform.ConfigChanges is [var first, ..] ? Finding.Fail($"'{first}' was written, changed or deleted") : Finding.Pass("nothing was written"));

    private static Task<Finding> QuietAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var late = platform.Answers.SelectMany(answer => answer.LateChanges).FirstOrDefault();
        return Task.FromResult(late is null ? Finding.Pass("nothing changed") : Finding.Fail($"'{late}' changed after the headers"));
    }
}
