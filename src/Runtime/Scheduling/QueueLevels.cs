using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Scheduling;

/// <summary>
/// What waits in a queue, by priority: one list a level, highest first, and behind them the delayed, those that timed out
/// but are still served. Guarded by the queue's lock.
/// </summary>
internal sealed class QueueLevels
{
    /// <summary>How many requests of other shapes are passed over in search of company, so that a take stays short however many wait.</summary>
    private const int MostStrangers = 256;

    private readonly string _modelName;
    private readonly int _defaultMaxSize;
    private readonly DynamicBatchingConfig? _batching;
    private readonly PendingList[] _lists;
    private int _rows;

    public QueueLevels(ModelConfig config)
    {
        _modelName = config.Name;
        _defaultMaxSize = config.Limits.MaxQueueSize;
        _batching = config.DynamicBatching;
        var levels = Math.Max(1, _batching?.PriorityLevels ?? 0);
        _lists = [.. Enumerable.Range(0, levels + 1).Select(_ => new PendingList())];
    }

    /// <summary>The rows of all that wait; may be read without the lock, for what it was a moment ago.</summary>
    public int Rows => Volatile.Read(ref _rows);

    /// <summary>Whether no level has room; may be read without the lock.</summary>
    public bool AreFull
    {
        get
        {
            for (var level = 0; level < _lists.Length - 1; level++)
            {
                if (!IsFull(level, PolicyOf(level)))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>The list of those that timed out but are still served.</summary>
    private PendingList Delayed => _lists[^1];

    /// <summary>Priorities count from 1; what is out of range or not given is the default.</summary>
    public int LevelOf(ulong priority)
    {
        var levels = _lists.Length - 1;
        var level = priority >= 1 && priority <= (ulong)levels ? (int)priority : _batching?.DefaultPriorityLevel ?? 1;
        return Math.Clamp(level, 1, levels) - 1;
    }

    public QueuePolicyConfig PolicyOf(int level) => _batching is null
        ? QueuePolicyConfig.Default
        : _batching.PriorityQueuePolicies.GetValueOrDefault(level + 1) ?? _batching.DefaultQueuePolicy;

    /// <summary>What a request is told that finds its level full.</summary>
    public InferenceError Full(string prefix, int level)
        => InferenceError.Unavailable($"{prefix}Exceeds maximum queue size: {_lists[level].Count} requests already wait for model '{_modelName}'");

    public bool IsFull(int level, QueuePolicyConfig policy) => IsFull(_lists[level], policy);

    public void Append(int level, PendingRequest request)
    {
        _lists[level].Append(request);
        Volatile.Write(ref _rows, _rows + request.Rows);
    }

    public void Remove(PendingRequest request)
    {
        request.List!.Remove(request);
        Volatile.Write(ref _rows, _rows - request.Rows);
    }

    /// <summary>Puts a waiting request behind all others, or says that there is no room.</summary>
    public bool TryDelay(PendingRequest request, QueuePolicyConfig policy)
    {
        if (IsFull(Delayed, policy))
        {
            return false;
        }

        request.List!.Remove(request);
        Delayed.Append(request);
        return true;
    }

    /// <summary>The request that fixes what the next batch looks like; null when none waits.</summary>
    public PendingRequest? Head()
    {
        foreach (var list in _lists)
        {
            if (list.First is not null)
            {
                return list.First;
            }
        }

        return null;
    }

    /// <summary>Collects the head and those that fit behind it, up to so many rows, without removing them; returns their rows.</summary>
    public int Gather(PendingRequest head, List<PendingRequest> batch, int maxRows)
    {
        batch.Add(head);
        var rows = head.Rows;
        var strangers = 0;
        foreach (var list in _lists)
        {
            for (var request = list.First; request is not null && rows < maxRows; request = request.Next)
            {
                if (request == head)
                {
                    continue;
                }

                if (rows + request.Rows <= maxRows && request.Batches(head))
                {
                    batch.Add(request);
                    rows += request.Rows;
                }
                else if (_batching!.PreserveOrdering || ++strangers == MostStrangers)
                {
                    return rows;
                }
            }
        }

        return rows;
    }

    /// <summary>When the one that has waited longest came, as a timestamp.</summary>
    public static long Oldest(List<PendingRequest> batch)
    {
        var oldest = long.MaxValue;
        foreach (var request in batch)
        {
            oldest = Math.Min(oldest, request.Entered);
        }

        return oldest;
    }

    /// <summary>How long a request may wait; null for ever. Its own timeout can only shorten the policy's, and only where the policy allows it.</summary>
    public static TimeSpan? TimeoutOf(PendingRequest request, QueuePolicyConfig policy)
    {
        var own = policy.AllowTimeoutOverride ? request.Request.TimeoutMicroseconds : 0;
        var microseconds = own == 0 || (policy.DefaultTimeoutMicroseconds != 0 && policy.DefaultTimeoutMicroseconds < own) ? policy.DefaultTimeoutMicroseconds : own;
        return microseconds == 0 ? null : TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(microseconds / 1000.0), int.MaxValue));
    }

    private bool IsFull(PendingList list, QueuePolicyConfig policy)
    {
        long limit = policy.MaxQueueSize > 0 ? policy.MaxQueueSize : _defaultMaxSize;
        return limit > 0 && list.Count >= limit;
    }
}
