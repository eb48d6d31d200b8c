using System.Diagnostics;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Benchmarks.Batching;

/// <summary>Clients that each send one row of zeros after the other.</summary>
internal static class Clients
{
    /// <summary>Requests a second, and the latencies in microseconds that half of them and one of a hundred exceed.</summary>
    public static async Task<(double Rate, double P50, double P99)> RunAsync(Model model, int count, TimeSpan length)
    {
        var start = Stopwatch.GetTimestamp();
        var end = start + (long)(length.TotalSeconds * Stopwatch.Frequency);
        var asked = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Task.Run(() => AskAsync(model, end))));
        var latencies = asked.SelectMany(some => some).Order().ToArray();
        return (latencies.Length / Stopwatch.GetElapsedTime(start).TotalSeconds, Exceeded(0.5), Exceeded(0.01));

        double Exceeded(double share) => latencies[(int)((1 - share) * (latencies.Length - 1))] * 1e6 / Stopwatch.Frequency;
    }

    private static async Task<List<long>> AskAsync(Model model, long end)
    {
        var latencies = new List<long>(1 << 14);
        for (var start = Stopwatch.GetTimestamp(); start < end || latencies.Count == 0;)
        {
            using var request = new InferenceRequest();
            BareInstance.Fill(request.Inputs, model.Config, 1);
            using var response = await model.InferAsync(request, CancellationToken.None);
            if (response.Error is { } error)
            {
                throw new InferenceException(error);
            }

            var now = Stopwatch.GetTimestamp();
            latencies.Add(now - start);
            start = now;
        }

        return latencies;
    }
}
