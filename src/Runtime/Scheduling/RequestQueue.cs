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
    private static readonly TimeSpan SpinBeforeSleep = TimeSpan.FromMicroseconds(10);

    private readonly object _gate = new(); // a Monitor, for its Wait and Pulse
    private readonly string _modelName;
    private readonly int _maxBatchSize;
    private readonly int _defaultMaxSize;
    private readonly DynamicBatchingConfig? _batching;
    private readonly ModelStatistics _statistics;
    private readonly TimeProvider _time;

    /// <summary>One list a priority, highest first, and behind them the delayed: those that timed out but are still served.</summary>
    private readonly PendingList[] _lists;
    private readonly OrderedRelease? _order;
    private int _sleepers;
    private int _version;
    private bool _closed;

    public RequestQueue(ModelConfig config, ModelStatistics statistics, TimeProvider time)
    {
        _modelName = config.Name;
        _maxBatchSize = Math.Max(1, config.MaxBatchSize);
        _defaultMaxSize = config.Limits.MaxQueueSize;
        _batching = config.DynamicBatching;
        _statistics = statistics;
        _time = time;
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
            Volatile.Write(ref _version, _version + 1);
            StartTimeout(request, policy);
            if (_sleepers > 0)
            {
                Monitor.Pulse(_gate);
            }
        }

        return null;
    }

    /// <summary>Takes the next batch, waiting for one; false when the queue is closed and empty. Called by many instances at once.</summary>
    public bool Take(List<PendingRequest> batch)
    {
        while (true)
        {
            ulong wait;
            int seen;
            lock (_gate)
            {
                if (TryTake(batch, out wait))
                {
                    return true;
                }

                if (_closed && wait == 0)
                {
                    return false;
                }

                seen = _version;
            }

            Wait(seen, wait);
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
            return true;
        }
    }

    /// <summary>Lets in no more requests; those that wait are still taken.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Volatile.Write(ref _version, _version + 1);
            Monitor.PulseAll(_gate);
        }
    }

    private bool TryTake(List<PendingRequest> batch, out ulong waitMicroseconds)
    {
        waitMicroseconds = 0;
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
        var age = (ulong)Stopwatch.GetElapsedTime(head.Times.Queued).TotalMicroseconds;
        var decision = _closed ? new BatchDecision(rows, 0) : BatchPolicy.Decide(rows, age, _maxBatchSize, _batching);
        if (!decision.Send)
        {
            batch.Clear();
            waitMicroseconds = decision.WaitMicroseconds;
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

    /// <summary>Collects the head and all that fit behind it, up to so many rows, without removing them.</summary>
    private int Gather(PendingRequest head, List<PendingRequest> batch, int maxRows)
    {
        batch.Add(head);
        var rows = head.Rows;
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
                else if (_batching!.PreserveOrdering)
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

    /// <summary>Waits until a request comes or, with a limit, until it is over. Monitors wait whole milliseconds, so the rest is spun, outside the lock.</summary>
    private void Wait(int seen, ulong limitMicroseconds)
    {
        var start = Stopwatch.GetTimestamp();
        if (Spin(seen, start, limitMicroseconds == 0 ? SpinBeforeSleep : Min(SpinBeforeSleep, limitMicroseconds)))
        {
            return;
        }

        lock (_gate)
        {
            var milliseconds = limitMicroseconds == 0 ? System.Threading.Timeout.Infinite : (int)Math.Min(limitMicroseconds / 1000, 60_000);
            if (_version == seen && milliseconds != 0)
            {
                _sleepers++;
                Monitor.Wait(_gate, milliseconds);
                _sleepers--;
                return;
            }
        }

        Spin(seen, start, TimeSpan.FromMicroseconds(limitMicroseconds));
    }

    private bool Spin(int seen, long start, TimeSpan limit)
    {
        while (Volatile.Read(ref _version) == seen)
        {
            if (Stopwatch.GetElapsedTime(start) >= limit)
            {
                return false;
            }

            Thread.SpinWait(20);
        }

        return true;
    }

    private static TimeSpan Min(TimeSpan time, ulong microseconds) => microseconds < time.TotalMicroseconds ? TimeSpan.FromMicroseconds(microseconds) : time;

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
        }

        request.Fail(InferenceError.Unavailable($"{request.Request.Prefix}Request timeout expired in the queue of model '{_modelName}'"), FailureReason.Rejected);
    }
}
