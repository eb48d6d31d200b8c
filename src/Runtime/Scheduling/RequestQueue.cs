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
    private readonly object _gate = new(); // a Monitor, for its Wait and Pulse
    private readonly QueueSignal _signal;
    private readonly string _modelName;
    private readonly int _maxBatchSize;
    private readonly DynamicBatchingConfig? _batching;
    private readonly ModelStatistics _statistics;
    private readonly TimeProvider _time;

    private readonly QueueLevels _levels;
    private readonly OrderedRelease? _order;
    /// <summary>The fewest rows that make a batch go before its delay is over.</summary>
    private readonly int _fewestRows;
    /// <summary>The rows that no company can add to.</summary>
    private readonly int _mostRows;
    /// <summary>When the instance that watches the clock for all of them wakes, as a timestamp; the others sleep until they are woken.</summary>
    private long _watchedUntil = long.MaxValue;
    private bool _closed;

    /// <summary>Called after each request that enters, outside of the lock; null where instances wait in <see cref="Take"/>.</summary>
    public Action? Entered { get; init; }

    public RequestQueue(ModelConfig config, ModelStatistics statistics, TimeProvider time)
    {
        (_modelName, _batching, _statistics, _time) = (config.Name, config.DynamicBatching, statistics, time);
        _maxBatchSize = Math.Max(1, config.MaxBatchSize);
        _signal = new QueueSignal(_gate);
        _order = _batching is { PreserveOrdering: true } ? new OrderedRelease() : null;
        _levels = new QueueLevels(config);
        _mostRows = _batching is null ? 1 : _maxBatchSize;
        _fewestRows = _batching is null ? 1 : _batching.PreferredBatchSizes.Append(_maxBatchSize).Min();
    }

    /// <summary>Why no request could enter now, whatever its priority; null where one could. Without the lock: the answer of a moment ago.</summary>
    public InferenceError? Refusal() => _levels.AreFull ? _levels.Full("[request id: <id_unknown>] ", level: 0) : null;

    /// <summary>Takes the request in, or says why not: the queue is full or closed.</summary>
    public InferenceError? TryEnqueue(PendingRequest request)
    {
        var level = _levels.LevelOf(request.Request.Priority);
        var policy = _levels.PolicyOf(level);
        request.Entered = Stopwatch.GetTimestamp();
        if (request.Times.Queued == 0)
        {
            request.Times.Queued = request.Entered;
        }

        lock (_gate)
        {
            if (_closed)
            {
                return InferenceError.Unavailable($"{request.Request.Prefix}model '{_modelName}' is being unloaded");
            }

            if (request.Request.Probe is null && _levels.IsFull(level, policy))
            {
                return _levels.Full(request.Request.Prefix, level);
            }

            _levels.Append(level, request);
            _order?.Enter(request);
            _statistics.AddPending(request.Request.Probe is null ? 1 : 0);
            StartTimeout(request, policy);

            // Whoever watches the clock looks again in time, so only a batch that may go sooner is worth a signal.
            if (_watchedUntil == long.MaxValue || _levels.Rows >= _fewestRows)
            {
                _signal.Raise();
            }
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

                if (_closed && _levels.Head() is null)
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

    /// <summary>Whether company could still make the next batch larger. Without the lock: the answer of a moment ago.</summary>
    public bool HasRoom => _levels.Rows < _mostRows;

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
        var head = _levels.Head();
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

        var rows = _levels.Gather(head, batch, _maxBatchSize);
        var now = Stopwatch.GetTimestamp();
        var age = (ulong)Stopwatch.GetElapsedTime(QueueLevels.Oldest(batch), now).TotalMicroseconds;
        var decision = _closed || head.Request.Probe is not null ? new BatchDecision(rows, 0) : BatchPolicy.Decide(rows, age, _maxBatchSize, _batching);
        if (!decision.Send)
        {
            batch.Clear();
            due = now + (long)Math.Min(decision.WaitMicroseconds * (Stopwatch.Frequency / 1e6), long.MaxValue / 2);
            return false;
        }

        if (decision.Rows < rows)
        {
            batch.Clear();
            _levels.Gather(head, batch, decision.Rows);
        }

        foreach (var request in batch)
        {
            Remove(request);
        }

        return true;
    }

    private void Remove(PendingRequest request)
    {
        _levels.Remove(request);
        request.Timeout?.Dispose();
        request.Timeout = null;
        request.Request.Probe?.IsTaken = true;
        _statistics.AddPending(request.Request.Probe is null ? -1 : 0);
    }

    /// <summary>What is left may be work for an instance that sleeps, and whoever was woken for it may have gone with another batch.</summary>
    private void WakeOneForTheRest()
    {
        if (_levels.Head() is not null)
        {
            _signal.Raise();
        }
    }

    private void StartTimeout(PendingRequest request, QueuePolicyConfig policy)
    {
        if (request.Request.Probe is null && QueueLevels.TimeoutOf(request, policy) is { } due)
        {
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

            if (policy.TimeoutAction == TimeoutAction.Delay && _levels.TryDelay(request, policy))
            {
                request.Timeout?.Dispose();
                request.Timeout = null;
                return;
            }

            Remove(request);
            WakeOneForTheRest();
        }

        request.Fail(InferenceError.Unavailable($"{request.Request.Prefix}Request timeout expired in the queue of model '{_modelName}'"), FailureReason.Rejected);
    }
}
