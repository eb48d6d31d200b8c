namespace Runtime.Host.NvcfTest;

/// <summary>How much a requirement weighs: a required one that fails fails the whole test.</summary>
internal enum Level
{
    Required,
    Recommended,
}

/// <summary>What became of a check.</summary>
internal enum Outcome
{
    Passed,
    Failed,
    NotApplicable,

    /// <summary>A check that it builds on has failed, or the test was ended.</summary>
    NotRun,
}

/// <summary>An outcome, and what was seen in a few words.</summary>
internal sealed record Finding(Outcome Outcome, string Detail)
{
    public static Finding Pass(string detail) => new(Outcome.Passed, detail);

    public static Finding Fail(string detail) => new(Outcome.Failed, detail);

    public static Finding None(string detail) => new(Outcome.NotApplicable, detail);
}

/// <summary>What a function must do, and how to see whether this one does.</summary>
/// <param name="Name">The check's name in tables and reports.</param>
/// <param name="Level">How much it weighs.</param>
/// <param name="Requirement">The requirement with its reason.</param>
/// <param name="RunAsync">Sees to it.</param>
internal sealed record FunctionCheck(string Name, Level Level, string Requirement, Func<SimulatedPlatform, CancellationToken, Task<Finding>> RunAsync)
{
    /// <summary>Whether nothing after it makes sense when it fails.</summary>
    public bool IsGate { get; init; }

    /// <summary>Why it does not apply with these settings; null where it does.</summary>
    public Func<TestSettings, string?> Inapplicable { get; init; } = _ => null;
}

/// <summary>A check that is over.</summary>
internal sealed record CheckResult(FunctionCheck Check, Finding Finding, TimeSpan Duration)
{
    public bool FailsTest => Check.Level == Level.Required && Finding.Outcome is Outcome.Failed or Outcome.NotRun;
}
