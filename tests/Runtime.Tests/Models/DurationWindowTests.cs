using System.Diagnostics;
using Runtime.Models;

namespace Runtime.Tests.Models;

public sealed class DurationWindowTests
{
    private static readonly double[] Ranks = [0.5, 0.9, 0.95, 0.99, 0.999];

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(1_000_000)]
    [InlineData(30_000_000_000)]
    public void Quantiles_RandomDurations_AreWithinTwoPercent(long scale)
    {
        var random = new Random(7);
        var window = new DurationWindow();
        var durations = Enumerable.Range(0, 20_000).Select(_ => (long)(scale * Math.Exp(random.NextDouble() * 3))).ToArray();
        foreach (var duration in durations)
        {
            window.Add(Stopwatch.Frequency, duration);
        }

        var quantiles = window.Quantiles(Stopwatch.Frequency, Ranks);

        Array.Sort(durations);
        for (var i = 0; i < Ranks.Length; i++)
        {
            var exact = durations[(int)Math.Ceiling(Ranks[i] * durations.Length) - 1];
            Assert.InRange(quantiles[i], exact * 0.98, exact * 1.02);
        }

        Assert.Equal(new StatisticDuration(durations.Length, durations.Sum()), window.Total);
    }

    [Fact]
    public void Quantiles_OlderThanAMinute_AreForgottenAndTheTotalsKept()
    {
        var window = new DurationWindow();
        window.Add(At(1000), 500);
        window.Add(At(1030), 700);

        Assert.InRange(window.Quantiles(At(1047), [0])[0], 490, 510);
        Assert.InRange(window.Quantiles(At(1070), [0])[0], 686, 714);
        Assert.True(double.IsNaN(window.Quantiles(At(1200), [0.5])[0]));
        Assert.Equal(new StatisticDuration(2, 1200), window.Total);
    }

    [Fact]
    public void Quantiles_LongerThanCanBeTold_CountAsTheLongest()
    {
        var window = new DurationWindow();
        window.Add(At(1), long.MaxValue);

        Assert.InRange(window.Quantiles(At(1), [1])[0], 1e12, 1.2e12);
    }

    [Fact]
    public void Snapshot_Buckets_AreCumulativeAndIncludeTheirBounds()
    {
        var counts = new BucketCounts([1, 2, 4]);
        foreach (var value in new double[] { 1, 1.5, 2, 5 })
        {
            counts.Add(value);
        }

        var snapshot = counts.Snapshot();

        Assert.Equal([1, 3, 3, 4], snapshot.Counts);
        Assert.Equal(9.5, snapshot.Sum);
    }

    [Fact]
    public async Task InferAsync_Answers_AreInHistogramsAndSummaries()
    {
        using var model = TestModels.Make(TestModels.AddOne);
        model.Statistics.BeginSummaries();
        using (var request = TestModels.Request([3, 1], [1, 2, 3]))
        using (await model.InferAsync(request, default))
        {
        }

        var statistics = model.Statistics.Snapshot();
        Assert.Equal((1, 1), (statistics.RequestSeconds!.Counts[^1], statistics.QueueSeconds!.Counts[^1]));
        Assert.Equal(statistics.Success.Nanoseconds / 1e9, statistics.RequestSeconds.Sum, 9);
        Assert.Equal([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], statistics.BatchRows!.Counts);
        Assert.Null(statistics.FirstResponseMilliseconds);
        var summaries = model.Statistics.Summaries([0.5])!;
        Assert.Equal([statistics.Success, statistics.Queue, statistics.ComputeInput, statistics.ComputeInfer, statistics.ComputeOutput], summaries.Select(summary => summary.Total));
        Assert.InRange(summaries[0].Quantiles[0], statistics.Success.Nanoseconds * 0.98, statistics.Success.Nanoseconds * 1.02);
    }

    private static long At(long seconds) => seconds * Stopwatch.Frequency;
}
