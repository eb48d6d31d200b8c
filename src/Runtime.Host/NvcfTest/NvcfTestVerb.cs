using System.Runtime.CompilerServices;
using Spectre.Console;

namespace Runtime.Host.NvcfTest;

/// <summary>Validates a function locally before it is deployed: plays the platform's part against it, and says which of its requirements it meets.</summary>
internal static class NvcfTestVerb
{
    public const string Usage = "--inference PATH --body FILE [--url URL] [--command \"...\"]";

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        if (args.Count == 0 || args.Any(arg => arg is "--help" or "-h"))
        {
            Console.WriteLine(Help);
            return args.Count == 0 ? 1 : 0;
        }

        var settings = TestSettings.Parse(args);
        using var ended = new CancellationTokenSource();
        Console.CancelKeyPress += (_, key) =>
        {
            key.Cancel = true;
            ended.Cancel();
        };
        var report = settings.IsJson || Console.IsOutputRedirected ? await ForScriptAsync(settings, ended.Token) : await ForPersonAsync(settings, ended.Token);
        return report.IsGood ? 0 : 1;
    }

    private static async Task<TestReport> ForScriptAsync(TestSettings settings, CancellationToken cancellation)
    {
        var report = await TestRun.RunAsync(settings, _ => { }, cancellation);
        await using var output = Console.OpenStandardOutput();
        JsonReport.Write(output, report);
        return report;
    }

    // Apart, so that only this needs the console's assembly.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<TestReport> ForPersonAsync(TestSettings settings, CancellationToken cancellation)
        => ConsoleReport.RunAsync(AnsiConsole.Console, observe => TestRun.RunAsync(settings, observe, cancellation));

    private const string Help = """
        Usage: runtime-host nvcf-test --inference PATH --body FILE [options]
               runtime-host nvcf-test --grpc-url URL [options]             a function of gRPC only

        Plays NVIDIA Cloud Functions' part against a function and says which of the platform's requirements it meets.
        Exit code 1 if a required one is not met. Where the output is no terminal, the report is JSON.
        A function that runs already needs the platform's environment (NVCF_FUNCTION_ID at least); --command gives it.

          --url URL                    where HTTP is served (default http://127.0.0.1:8000)
          --grpc-url URL               where gRPC is served
          --health PATH                health path (default /v2/health/ready)
          --inference PATH             the path that answers requests
          --body FILE                  a request that is answered well
          --stream PATH                the path that streams (default the inference path)
          --stream-body FILE           a request that is streamed (default the body)
          --slow-body FILE             a request that takes longer than the poll limit
          --asset-body FILE            a request that takes an asset where the text ASSET_ID stands
          --asset FILE                 the asset (default: the text hello)
          --health-timeout SECONDS     how long it may take to become healthy (default 600)
          --timeout SECONDS            how long any request may take (default 60)
          --poll-seconds SECONDS       when clients are told 202 and ask again (default 5)
          --concurrency N              the function's maxRequestConcurrency (default 4)
          --oversized-body BYTES       the size of a body that is too large (default 67108865)
          --directory DIR              where requests' directories are made (default a temporary one)
          --container-directory DIR    what the container calls that directory
          --config-directory DIR       what the function has as /config
          --command "COMMAND"          starts the function, so that it can be stopped and started again
          --json                       a JSON report
        """;
}
