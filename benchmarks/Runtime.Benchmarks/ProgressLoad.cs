using System.Diagnostics;
using Runtime.Host.Nvcf;

namespace Runtime.Benchmarks;

/// <summary>
/// What progress costs: 50 requests report 20 times a second each, with a small partial response. The processor time of the
/// process is compared with that of the same loop without reports: <c>dotnet run -c Release --project benchmarks/Runtime.Benchmarks -- progress</c>.
/// </summary>
internal static class ProgressLoad
{
    private const int Requests = 50;
    private const int Ticks = 200;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);
    private static readonly byte[] Partial = [.. """{"step":"denoise","images":[],"note":"a small partial response, as functions send them"}"""u8];

    public static async Task RunAsync()
    {
        var directory = Directory.CreateTempSubdirectory("progress-load");
        try
        {
            await LoadAsync(directory.FullName, reports: true, ticks: 20); // to warm up
            foreach (var reports in new[] { false, true, false, true, false, true })
            {
                var share = await LoadAsync(directory.FullName, reports, Ticks);
                Console.WriteLine($"{(reports ? "1,000 updates/s" : "no updates"),-16}{share,8:P2} of a core");
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task<double> LoadAsync(string directory, bool reports, int ticks)
    {
        ProgressFile[] requests = [.. Enumerable.Range(0, Requests).Select(i => new ProgressFile(Path.Combine(directory, $"{i}"), $"{i}", TimeProvider.System, fault => throw fault))];
        using var process = Process.GetCurrentProcess();
        using var timer = new PeriodicTimer(Period);
        var (start, clock) = (process.TotalProcessorTime, Stopwatch.GetTimestamp());
        for (var tick = 0; tick < ticks && await timer.WaitForNextTickAsync(); tick++)
        {
            foreach (var request in reports ? requests : [])
            {
                request.Report(100d * tick / ticks, Partial);
            }
        }

        process.Refresh();
        var share = (process.TotalProcessorTime - start) / Stopwatch.GetElapsedTime(clock);
        Array.ForEach(requests, static request => request.Close());
        return share;
    }
}
