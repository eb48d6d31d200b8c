namespace Runtime.Host.NvcfTest.Checks;

/// <summary>Every check in the order in which they run: start, requests, what all of them have shown, the end of the process.</summary>
internal static class CheckTable
{
    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        .. StartChecks.All,
        .. RequestChecks.All,
        .. StreamChecks.All,
        .. AssetChecks.All,
        .. LimitChecks.All,
        .. AnswerChecks.All,
        .. OutputChecks.All,
        .. ProgressChecks.All,
        .. StopChecks.All,
    ];

    /// <summary>Why a check of HTTP does not apply; null where it does.</summary>
    public static string? WithoutHttp(TestSettings settings) => settings.Inference is null ? "a function of gRPC only" : null;

    /// <summary>A finding by whether a request was answered well.</summary>
    public static Finding Good(Answer answer) => answer.IsGood ? Finding.Pass(answer.Summary) : Finding.Fail(answer.Summary);
}
