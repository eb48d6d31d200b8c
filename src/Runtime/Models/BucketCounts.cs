namespace Runtime.Models;

/// <summary>How many values fell under each of some ascending bounds, as Prometheus wants them. Not thread-safe.</summary>
internal sealed class BucketCounts(IReadOnlyList<double> bounds)
{
    private readonly long[] _counts = new long[bounds.Count + 1];
    private double _sum;

    public void Add(double value)
    {
        var bucket = 0;
        while (bucket < bounds.Count && value > bounds[bucket])
        {
            bucket++;
        }

        _counts[bucket]++;
        _sum += value;
    }

    /// <summary>A copy, cumulative.</summary>
    public BucketSnapshot Snapshot()
    {
        var cumulative = new long[_counts.Length];
        long total = 0;
        for (var i = 0; i < cumulative.Length; i++)
        {
            cumulative[i] = total += _counts[i];
        }

        return new BucketSnapshot(bounds, cumulative, _sum);
    }
}

/// <summary>A histogram at one moment: for each bound how many values were at most that, then how many there were in all; and their sum.</summary>
public sealed record BucketSnapshot(IReadOnlyList<double> Bounds, IReadOnlyList<long> Counts, double Sum);

/// <summary>The histograms of one version that are always on, durations in seconds. Guarded by the lock of <see cref="ModelStatistics"/>.</summary>
internal sealed class ModelHistograms
{
    private static readonly double[] DurationBounds =
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private static readonly double[] BatchBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

    // Triton's default buckets.
    private static readonly double[] FirstResponseBounds = [100, 500, 2000, 5000];

    public BucketCounts RequestSeconds { get; } = new(DurationBounds);

    public BucketCounts QueueSeconds { get; } = new(DurationBounds);

    public BucketCounts BatchRows { get; } = new(BatchBounds);

    /// <summary>From arrival to the first response, of decoupled models.</summary>
    public BucketCounts FirstResponseMilliseconds { get; } = new(FirstResponseBounds);
}
