using System.Diagnostics;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Scheduling;

/// <summary>
/// The requests that wait for a model's instances, under one lock. Instances pull: no thread forms batches ahead, so a
/// batch is as full as the moment allows. Every request that enters leaves once: taken, timed out, cancelled or closed out.
/// </summary>
internal sealed class RequestQueue
{
    /// <summary>How many requests of other shapes are passed over in search of company, so that a take stays short however many wait.</summary>
    private const int MostStrangers = 256;

    private readonly object _gate = new(); // a Monitor, for its Wait and Pulse
    private readonly QueueSignal _signal;
    private readonly string _modelName;
    private readonly int _maxBatchSize;
    private readonly int _defaultMaxSize;
    private readonly DynamicBatchingConfig? _batching;
    private readonly ModelStatistics _statistics;
    private readonly TimeProvider _time;

    /// <summary>One list a priority, highest first, and behind them the delayed: those that timed out but are still served.</summary>
    private readonly PendingList[] _lists;
    private readonly OrderedRelease? _order;
    /// <summary>When the instance that watches the clock for all of them wakes, as a timestamp; the others sleep until they are woken.</summary>
    private long _watchedUntil = long.MaxValue;
    private bool _closed;

    /// <summary>Called after each request that enters, outside of the lock; null where instances wait in <see cref="Take"/>.</summary>
    public Action? Entered { get; init; }

    public RequestQueue(ModelConfig config, ModelStatistics statistics, TimeProvider time)
    {
        _modelName = config.Name;
        _maxBatchSize = Math.Max(1, config.MaxBatchSize);
        _defaultMaxSize = config.Limits.MaxQueueSize;
        _batching = config.DynamicBatching;
        _statistics = statistics;
        _time = time;
        _signal = new QueueSignal(_gate);
        _order = _batching is { PreserveOrdering: true } ? new OrderedRelease() : null;
        var levels = Math.Max(1, _batching?.PriorityLevels ?? 0);
        _lists = [.. Enumerable.Range(0, levels + 1).Select(_ => new PendingList())];
    }

    /// <summary>Takes the request in, or says why not: the queue is full or closed.</summary>
    public InferenceError? TryEnqueue(PendingRequest request)
    {
        var level = LevelOf(request.Request.Priority);
        var policy = PolicyOf(level);
        request.Times.Queued = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            if (_closed)
            {
                return InferenceError.Unavailable($"{request.Request.Prefix}model '{_modelName}' is being unloaded");
            }

            if (IsFull(_lists[level], policy))
            {
                return InferenceError.Unavailable($"{request.Request.Prefix}Exceeds maximum queue size: {_lists[level].Count} requests already wait for model '{_modelName}'");
            }

            _lists[level].Append(request);
            _order?.Enter(request);
            _statistics.AddPending(1);
            StartTimeout(request, policy);
            _signal.Raise();
        }

        Entered?.Invoke();
        return null;
    }

    /// <summary>Takes the next batch if there is one to take now; otherwise <paramref name="due"/> says when there may be, if nothing enters sooner.</summary>
    public bool TryTakeNow(List<PendingRequest> batch, out long due)
    {
        lock (_gate)
        {
            return TryTake(batch, out due);
        }
    }

    /// <summary>Takes the next batch, waiting for one; false when the queue is closed and empty. Called by many instances at once.</summary>
    public bool Take(List<PendingRequest> batch)
    {
        var due = long.MaxValue;
        while (true)
        {
            int seen;
            lock (_gate)
            {
                if (due == _watchedUntil)
                {
                    _watchedUntil = long.MaxValue;
                }

                if (TryTake(batch, out due))
                {
                    WakeOneForTheRest();
                    return true;
                }

                if (_closed && NextHead() is null)
                {
                    return false;
                }

                // One clock-watcher is enough, unless something is due sooner.
                due = due < _watchedUntil ? _watchedUntil = due : long.MaxValue;
                seen = _signal.Version;
            }

            _signal.Wait(seen, due);
        }
    }

    /// <summary>Removes a request that still waits; false if an instance has it already, or it has left.</summary>
    public bool TryRemove(PendingRequest request)
    {
        lock (_gate)
        {
            if (request.List is null)
            {
                return false;
            }

            Remove(request);
            WakeOneForTheRest();
            return true;
        }
    }

    /// <summary>Lets in no more requests; those that wait are still taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _signal.RaiseForAll();
        }
    }

    /// <param name="batch">Where to put the requests.</param>
    /// <param name="due">When to look again, where a batch waits for company; otherwise never.</param>
    private bool TryTake(List<PendingRequest> batch, out long due)
    {
        due = long.MaxValue;
        var head = NextHead();
        if (head is null)
        {
            return false;
        }

        if (_batching is null)
        {
            Remove(head);
            batch.Add(head);
            return true;
        }

        var rows = Gather(head, batch, _maxBatchSize);
        var now = Stopwatch.GetTimestamp();
        var age = (ulong)Stopwatch.GetElapsedTime(Oldest(batch), now).TotalMicroseconds;
        var decision = _closed ? new BatchDecision(rows, 0) : BatchPolicy.Decide(rows, age, _maxBatchSize, _batching);
        if (!decision.Send)
        {
            batch.Clear();
            due = now + (long)Math.Min(decision.WaitMicroseconds * (Stopwatch.Frequency / 1e6), long.MaxValue / 2);
            return false;
        }

        if (decision.Rows < rows)
        {
            batch.Clear();
            Gather(head, batch, decision.Rows);
        }

        foreach (var request in batch)
        {
            Remove(request);
        }

        return true;
    }

    private static long Oldest(List<PendingRequest> batch)
    {
        var oldest = long.MaxValue;
        foreach (var request in batch)
        {
            oldest = Math.Min(oldest, request.Times.Queued);
        }

        return oldest;
    }

    /// <summary>Collects the head and those that fit behind it, up to so many rows, without removing them.</summary>
    private int Gather(PendingRequest head, List<PendingRequest> batch, int maxRows)
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

    private PendingRequest? NextHead()
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

    private void Remove(PendingRequest request)
    {
        request.List!.Remove(request);
        request.Timeout?.Dispose();
        request.Timeout = null;
        _statistics.AddPending(-1);
    }

    /// <summary>What is left may be work for an instance that sleeps, and whoever was woken for it may have gone with another batch.</summary>
    private void WakeOneForTheRest()
    {
        if (NextHead() is not null)
        {
            _signal.Raise();
        }
    }

    /// <summary>Priorities count from 1; what is out of range or not given is the default.</summary>
    private int LevelOf(ulong priority)
    {
        var levels = _lists.Length - 1;
        var level = priority >= 1 && priority <= (ulong)levels ? (int)priority : _batching?.DefaultPriorityLevel ?? 1;
        return Math.Clamp(level, 1, levels) - 1;
    }

    private QueuePolicyConfig PolicyOf(int level) => _batching is null
        ? QueuePolicyConfig.Default
        : _batching.PriorityQueuePolicies.GetValueOrDefault(level + 1) ?? _batching.DefaultQueuePolicy;

    private bool IsFull(PendingList list, QueuePolicyConfig policy)
    {
        long limit = policy.MaxQueueSize > 0 ? policy.MaxQueueSize : _defaultMaxSize;
        return limit > 0 && list.Count >= limit;
    }

    /// <summary>A request's own timeout can only shorten the policy's, and only where the policy allows it.</summary>
    private void StartTimeout(PendingRequest request, QueuePolicyConfig policy)
    {
        var own = policy.AllowTimeoutOverride ? request.Request.TimeoutMicroseconds : 0;
        var microseconds = own == 0 || (policy.DefaultTimeoutMicroseconds != 0 && policy.DefaultTimeoutMicroseconds < own) ? policy.DefaultTimeoutMicroseconds : own;
        if (microseconds > 0)
        {
            var due = TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(microseconds / 1000.0), int.MaxValue));
            request.Timeout = _time.CreateTimer(_ => Expire(request, policy), null, due, System.Threading.Timeout.InfiniteTimeSpan);
        }
    }

    private void Expire(PendingRequest request, QueuePolicyConfig policy)
    {
        lock (_gate)
        {
            if (request.List is null)
            {
                return;
            }

            if (policy.TimeoutAction == TimeoutAction.Delay && !IsFull(_lists[^1], policy))
            {
                request.Timeout?.Dispose();
                request.Timeout = null;
                request.List.Remove(request);
                _lists[^1].Append(request);
                return;
            }

            Remove(request);
            WakeOneForTheRest();
        }

        request.Fail(InferenceError.Unavailable($"{request.Request.Prefix}Request timeout expired in the queue of model '{_modelName}'"), FailureReason.Rejected);
    }
}
