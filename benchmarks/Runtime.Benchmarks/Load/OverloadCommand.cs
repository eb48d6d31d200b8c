using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Runtime.Benchmarks.Load;

/// <summary>
/// <c>load-overload URL MODEL</c>: how fast the model serves as many clients as its queue has room for, and then what becomes
/// of three times as many requests a second, sent by the clock whether or not the earlier ones were answered.
/// <c>--connections 24 --seconds 5 --rounds 3 --times 3</c>.
/// </summary>
internal static class OverloadCommand
{
    /// <summary>Connections that send by the clock; many, so that one that waits for its answer is not missed.</summary>
    private const int Senders = 192;

    public static async Task<int> RunAsync(string[] args)
    {
        var seconds = LoadCommand.Option(args, "--seconds", 5);
        using var sending = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        var target = await LoadTarget.OfAsync(new Uri(args[1]), args[2], sending);
        await LoadAsync(sending, target, LoadCommand.Option(args, "--connections", 24), 3, 0); // warm-up
        for (var round = 0; round < LoadCommand.Option(args, "--rounds", 3); round++)
        {
            var peak = await LoadAsync(sending, target, LoadCommand.Option(args, "--connections", 24), seconds, 0);
            var offered = peak.Served.Count / (double)seconds * LoadCommand.Option(args, "--times", 3);
            var over = await LoadAsync(sending, target, Senders, seconds, offered);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"peak {peak.Served.Count / (double)seconds,6:F0}/s, p99 {Milliseconds(peak.Served, 0.99),5:F1} ms; offered {offered,6:F0}/s, sent {(over.Served.Count + over.Refused.Count) / (double)seconds,6:F0}/s: served {over.Served.Count / (double)seconds,6:F0}/s, {over.Served.Count / (double)peak.Served.Count:P0} of the peak, p99 {Milliseconds(over.Served, 0.99):F1} ms; refused p50 {Milliseconds(over.Refused, 0.5):F1} ms, p99 {Milliseconds(over.Refused, 0.99):F1} ms"));
        }

        return 0;
    }

    private static double Milliseconds(List<long> sorted, double share) => sorted.Count == 0 ? double.NaN : LoadCommand.At(sorted, share) / 1000;

    /// <param name="sending">What sends.</param>
    /// <param name="target">What to send.</param>
    /// <param name="connections">How many requests at once, at most.</param>
    /// <param name="seconds">For how long.</param>
    /// <param name="rate">Requests a second of all connections; 0 for the next as soon as one is answered.</param>
    private static async Task<Answers> LoadAsync(HttpMessageInvoker sending, LoadTarget target, int connections, int seconds, double rate)
    {
        var start = Stopwatch.GetTimestamp();
        var end = start + (seconds * Stopwatch.Frequency);
        var interval = rate == 0 ? 0 : (long)(connections / rate * Stopwatch.Frequency);
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(
            i => Task.Run(() => SendAsync(sending, target, start + (interval * i / connections), interval, end))));
        return new Answers([.. all.SelectMany(some => some.Served).Order()], [.. all.SelectMany(some => some.Refused).Order()]);
    }

    private static async Task<Answers> SendAsync(HttpMessageInvoker sending, LoadTarget target, long next, long interval, long end)
    {
        var answers = new Answers([], []);
        for (; Stopwatch.GetTimestamp() < end; next += interval)
        {
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), next);
            if (wait.TotalMilliseconds >= 1)
            {
                await Task.Delay(wait);
            }

            var start = Stopwatch.GetTimestamp();
            using var request = target.Request();
            using var response = await sending.SendAsync(request, CancellationToken.None);
            await response.Content.ReadAsByteArrayAsync();
            if (!target.IsServed(response) && response.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests))
            {
                throw new InvalidOperationException($"the server answered {response}");
            }

            (response.IsSuccessStatusCode ? answers.Served : answers.Refused).Add(Stopwatch.GetTimestamp() - start);
        }

        return answers;
    }

    /// <summary>Latencies in ticks of those that were served and those that were refused.</summary>
    private sealed record Answers(List<long> Served, List<long> Refused);
}
