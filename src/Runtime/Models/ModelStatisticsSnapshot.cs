namespace Runtime.Models;

/// <summary>How often something happened, and how many nanoseconds it took in all.</summary>
public readonly record struct StatisticDuration(long Count, long Nanoseconds)
{
    internal StatisticDuration Plus(long nanoseconds, long count = 1) => new(Count + count, Nanoseconds + nanoseconds);
}

/// <summary>Executions of one batch size.</summary>
public sealed record BatchStatistics(int BatchSize, StatisticDuration ComputeInput, StatisticDuration ComputeInfer, StatisticDuration ComputeOutput);

/// <summary>Responses of a decoupled model, by their position in a request's stream.</summary>
public sealed record ResponseStatistics(
    string Key, StatisticDuration ComputeInfer, StatisticDuration ComputeOutput, StatisticDuration Success, StatisticDuration Fail, StatisticDuration Empty, StatisticDuration Cancel);

/// <summary>A consistent copy of the counters at one moment.</summary>
public sealed record ModelStatisticsSnapshot
{
    /// <summary>Milliseconds since 1970 of the last inference; 0 for none.</summary>
    public required long LastInferenceMilliseconds { get; init; }

    /// <summary>Rows, a request without batch dimension counting one.</summary>
    public required long InferenceCount { get; init; }

    public required long ExecutionCount { get; init; }

    public required StatisticDuration Success { get; init; }

    public required StatisticDuration Fail { get; init; }

    public required StatisticDuration Queue { get; init; }

    public required StatisticDuration ComputeInput { get; init; }

    public required StatisticDuration ComputeInfer { get; init; }

    public required StatisticDuration ComputeOutput { get; init; }

    /// <summary>Failures by <see cref="FailureReason"/>, in the order of the enumeration.</summary>
    public required IReadOnlyList<long> Failures { get; init; }

    public required long Pending { get; init; }

    public required IReadOnlyList<BatchStatistics> Batches { get; init; }

    public required IReadOnlyList<ResponseStatistics> Responses { get; init; }

    /// <summary>Bytes of the inputs of the requests that were answered.</summary>
    public required long InputBytes { get; init; }

    /// <summary>Answers from the response cache, and what it took to find and copy them.</summary>
    public StatisticDuration CacheHit { get; init; }

    /// <summary>Requests that the response cache had no answer to, and what it took to look and to store it.</summary>
    public StatisticDuration CacheMiss { get; init; }

    /// <summary>Whether the version uses the response cache.</summary>
    public bool IsCached { get; init; }

    /// <summary>Answered requests by seconds from arrival to answer.</summary>
    public BucketSnapshot? RequestSeconds { get; init; }

    /// <summary>Answered requests by seconds in the queue, cached ones included.</summary>
    public BucketSnapshot? QueueSeconds { get; init; }

    /// <summary>Executions by rows.</summary>
    public BucketSnapshot? BatchRows { get; init; }

    /// <summary>Requests by milliseconds from arrival to the first response; null for a model that is not decoupled.</summary>
    public BucketSnapshot? FirstResponseMilliseconds { get; init; }

    /// <summary>How long the version took to load, warm-up included.</summary>
    public required TimeSpan LoadDuration { get; init; }
}
