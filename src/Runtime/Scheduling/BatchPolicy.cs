using Runtime.Models;

namespace Runtime.Scheduling;

/// <summary>Whether a batch goes now, or how long it may still wait for company.</summary>
/// <param name="Rows">The rows to send; 0 while waiting.</param>
/// <param name="WaitMicroseconds">How long to wait before asking again, unless a request comes sooner; 0 when sending.</param>
internal readonly record struct BatchDecision(int Rows, ulong WaitMicroseconds)
{
    public bool Send => Rows > 0;
}

/// <summary>When to send a batch: a pure function of what waits, for how long, and the configuration.</summary>
internal static class BatchPolicy
{
    /// <param name="rows">Rows that wait and fit together, at most the maximum.</param>
    /// <param name="ageMicroseconds">How long the oldest of them has waited.</param>
    /// <param name="maxBatchSize">The most rows of a batch.</param>
    /// <param name="config">The model's dynamic batching.</param>
    public static BatchDecision Decide(int rows, ulong ageMicroseconds, int maxBatchSize, DynamicBatchingConfig config)
    {
        if (rows >= maxBatchSize || ageMicroseconds >= config.MaxQueueDelayMicroseconds)
        {
            return new BatchDecision(rows, 0);
        }

        for (var i = config.PreferredBatchSizes.Count - 1; i >= 0; i--)
        {
            if (config.PreferredBatchSizes[i] <= rows)
            {
                return new BatchDecision(config.PreferredBatchSizes[i], 0);
            }
        }

        return new BatchDecision(0, config.MaxQueueDelayMicroseconds - ageMicroseconds);
    }
}
