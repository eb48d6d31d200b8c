using System.Diagnostics;
using System.Numerics;

namespace Runtime.Models;

/// <summary>
/// The durations of the last minute or so, for quantiles: buckets whose width is 1/32 of their octave, so that a quantile is
/// off by at most 1.6 %. Like Triton's summaries it forgets in five steps. Not thread-safe.
/// </summary>
internal sealed class DurationWindow
{
    private const int SubBits = 5;
    private const int MostBits = 40; // 18 minutes in nanoseconds; longer ones count as that
    private const int Buckets = (MostBits - SubBits + 1) << SubBits;
    private const int Steps = 5;
    private static readonly long StepTicks = 12 * Stopwatch.Frequency;

    private readonly uint[][] _counts = [.. Enumerable.Range(0, Steps).Select(_ => new uint[Buckets])];
    private long _step = -1;

    /// <summary>Durations since the beginning, and their sum in nanoseconds.</summary>
    public StatisticDuration Total { get; private set; }

    /// <summary>Adds one duration at a time given as <see cref="Stopwatch"/> ticks.</summary>
    public void Add(long timestamp, long nanoseconds)
    {
        MoveTo(timestamp);
        _counts[_step % Steps][BucketOf(nanoseconds)]++;
        Total = Total.Plus(nanoseconds);
    }

    /// <summary>The quantiles at that time, in nanoseconds; NaN where the window is empty.</summary>
    public double[] Quantiles(long timestamp, IReadOnlyList<double> ranks)
    {
        MoveTo(timestamp);
        var merged = new long[Buckets];
        foreach (var step in _counts)
        {
            for (var i = 0; i < Buckets; i++)
            {
                merged[i] += step[i];
            }
        }

        var count = merged.Sum();
        return [.. ranks.Select(rank => count == 0 ? double.NaN : Quantile(merged, (long)Math.Max(1, Math.Ceiling(rank * count))))];
    }

    private static double Quantile(long[] merged, long position)
    {
        var bucket = 0;
        for (var seen = merged[0]; seen < position; seen += merged[bucket])
        {
            bucket++;
        }

        return MiddleOf(bucket);
    }

    private static int BucketOf(long nanoseconds)
    {
        var value = (ulong)Math.Clamp(nanoseconds, 0, (1L << MostBits) - 1);
        var shift = Math.Max(0, BitOperations.Log2(value | 1) - SubBits);
        return (int)(((ulong)shift << SubBits) + (value >> shift));
    }

    private static double MiddleOf(int bucket)
    {
        var shift = Math.Max(0, (bucket >> SubBits) - 1);
        var start = (long)(bucket - (shift << SubBits)) << shift;
        return start + (((1L << shift) - 1) / 2.0);
    }

    /// <summary>Empties the steps that time has passed since the last call.</summary>
    private void MoveTo(long timestamp)
    {
        var step = timestamp / StepTicks;
        if (step <= _step)
        {
            return;
        }

        for (var next = Math.Max(_step + 1, step - Steps + 1); next <= step; next++)
        {
            Array.Clear(_counts[next % Steps]);
        }

        _step = step;
    }
}

/// <summary>One stage's durations: how many and how long since the start, and quantiles of the last minute in nanoseconds.</summary>
public sealed record SummarySnapshot(StatisticDuration Total, IReadOnlyList<double> Quantiles);

/// <summary>The summaries of one version. Guarded by the lock of <see cref="ModelStatistics"/>.</summary>
internal sealed class ModelSummaries
{
    private readonly DurationWindow[] _stages = [.. Enum.GetValues<SummaryStage>().Select(_ => new DurationWindow())];

    public void Add(SummaryStage stage, long timestamp, long nanoseconds) => _stages[(int)stage].Add(timestamp, nanoseconds);

    /// <summary>By <see cref="SummaryStage"/>, in the order of the enumeration.</summary>
    public IReadOnlyList<SummarySnapshot> Snapshot(long timestamp, IReadOnlyList<double> ranks)
        => [.. _stages.Select(stage => new SummarySnapshot(stage.Total, stage.Quantiles(timestamp, ranks)))];
}

/// <summary>What has a summary.</summary>
public enum SummaryStage
{
    Request,
    Queue,
    ComputeInput,
    ComputeInfer,
    ComputeOutput,
}
