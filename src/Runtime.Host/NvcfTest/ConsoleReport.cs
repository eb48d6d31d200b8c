using Spectre.Console;

namespace Runtime.Host.NvcfTest;

/// <summary>A report for a person: a bar while the checks run, a table afterwards. The only code that needs Spectre.Console, which is loaded with it.</summary>
internal static class ConsoleReport
{
    public static async Task<TestReport> RunAsync(IAnsiConsole console, Func<Action<RunEvent>, Task<TestReport>> run)
    {
        TestReport? report = null;
        await console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var checks = context.AddTask("checks");
                var request = context.AddTask("request", autoStart: true);
                report = await run(seen => Show(seen, checks, request));
            });
        console.Write(Table(report!));
        console.MarkupLine(Verdict(report!));
        return report!;
    }

    public static string Verdict(TestReport report)
    {
        var required = report.Results.Count(result => result.FailsTest);
        var advised = report.Results.Count(result => result.Check.Level == Level.Recommended && result.Finding.Outcome == Outcome.Failed);
        var also = advised == 0 ? "" : $"; {advised} recommended {(advised == 1 ? "one is" : "ones are")} not met";
        return required == 0 ? $"[green]The function meets every requirement of the platform's that was tested[/]{also}." : $"[red]{required} {(required == 1 ? "requirement is" : "requirements are")} not met[/]{also}.";
    }

    private static void Show(RunEvent seen, ProgressTask checks, ProgressTask request)
    {
        checks.MaxValue = seen.Count;
        checks.Value = seen.Done;
        checks.Description = Markup.Escape(seen.Check);
        request.Description = Markup.Escape(seen.Activity.Length > 0 ? seen.Activity : "request");
        request.IsIndeterminate = seen.Percent is null && seen.Activity.Length > 0;
        request.Value = seen.Percent ?? 0;
    }

    private static Table Table(TestReport report)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("", "What a function must do", "What this one does").ShowRowSeparators();
        foreach (var (check, finding, _) in report.Results)
        {
            table.AddRow(
                new Markup($"{Sign(check, finding)}\n{Markup.Escape(check.Name)}"),
                new Markup(Markup.Escape(check.Requirement)),
                new Markup(finding.Outcome is Outcome.NotApplicable or Outcome.NotRun ? $"[grey]{Markup.Escape(finding.Detail)}[/]" : Markup.Escape(finding.Detail)));
        }

        return table;
    }

    private static string Sign(FunctionCheck check, Finding finding) => finding.Outcome switch
    {
        Outcome.Passed => "[green]passed[/]",
        Outcome.Failed when check.Level == Level.Recommended => "[yellow]not met (recommended)[/]",
        Outcome.Failed => "[red]FAILED (required)[/]",
        Outcome.NotApplicable => "[grey]not applicable[/]",
        _ => "[grey]not run[/]",
    };
}
