namespace Runtime.Host.NvcfTest.Checks;

/// <summary>What all answers of the test together show.</summary>
internal static class AnswerChecks
{
    public static readonly IReadOnlyList<FunctionCheck> All =
    [
        new("never-202", Level.Required, "Never answers 202: it is the platform's own word, and makes it send the request again at every poll.", NeverAcceptedAsync) { Inapplicable = CheckTable.WithoutHttp },
        new("errors", Level.Required, "Puts a text under 'error' at the top of every answer from 400 on: the platform takes it as the detail, and without it clients read only 'Inference error'.", ErrorsAsync) { Inapplicable = CheckTable.WithoutHttp },
    ];

    private static Task<Finding> NeverAcceptedAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        var accepted = platform.Answers.FirstOrDefault(answer => answer.Status == 202);
        return Task.FromResult(accepted is null ? Finding.Pass($"in {platform.Answers.Count} answers") : Finding.Fail($"{accepted.Invocation.Method} {accepted.Invocation.Path}: {accepted.Summary}"));
    }

    private static Task<Finding> ErrorsAsync(SimulatedPlatform platform, CancellationToken cancellation)
    {
        Answer[] errors = [.. platform.Answers.Where(answer => answer.Status >= 400)];
        var mute = Array.Find(errors, answer => ClientAnswer.ErrorOf(answer.Body) is null);
        return Task.FromResult(errors.Length == 0 ? Finding.None("there was no error")
            : mute is null ? Finding.Pass($"in {errors.Length} errors")
            : Finding.Fail($"{mute.Invocation.Method} {mute.Invocation.Path}: {mute.Summary}"));
    }
}
