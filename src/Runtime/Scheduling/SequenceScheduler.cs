using System.Diagnostics;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>
/// Keeps the requests of a sequence in order, one at a time in the queue behind it, where those of different sequences
/// may share a batch. Fills control inputs, and carries states from a request to the next, so that any instance can run
/// it: direct and oldest strategies come to the same, and a sequence never waits for a slot.
/// </summary>
internal sealed class SequenceScheduler : IDisposable
{
    private readonly ModelConfig _config;
    private readonly SequenceBatchingConfig _sequencing;
    private readonly SequenceInputs _inputs;
    private readonly RequestQueue _queue;
    private readonly ModelStatistics _statistics;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private readonly Lock _gate = new();
    private readonly Dictionary<CorrelationId, Sequence> _sequences = [];

    public SequenceScheduler(ModelConfig config, SequenceInputs inputs, RequestQueue queue, ModelStatistics statistics, TimeProvider time)
    {
        (_config, _sequencing, _inputs, _queue, _statistics, _time) = (config, config.SequenceBatching!, inputs, queue, statistics, time);
        var idle = TimeSpan.FromMilliseconds(Math.Clamp(_sequencing.MaxIdleMicroseconds / 2000.0, 1, int.MaxValue));
        _sweep = time.CreateTimer(_ => ForgetIdle(), null, idle, idle);
    }

    /// <summary>Takes a checked request in, behind those of its sequence; or says why not.</summary>
    public InferenceError? TryEnqueue(PendingRequest pending)
    {
        var request = pending.Request;
        var id = new CorrelationId(request.SequenceId, request.SequenceName);
        if (Refusal(id, pending) is { } refusal)
        {
            return refusal;
        }

        lock (_gate)
        {
            var known = _sequences.TryGetValue(id, out var sequence);
            if (!request.SequenceStart && (!known || sequence!.IsEnding))
            {
                return InferenceError.InvalidArgument($"inference request for sequence {id} to model '{_config.Name}' must specify the START flag on the first request of the sequence");
            }

            if (known && sequence!.Current is not null && _config.Limits.MaxQueueSize is > 0 and var limit && sequence.Backlog.Count >= limit)
            {
                return InferenceError.Unavailable($"{request.Prefix}Exceeds maximum queue size: {limit} requests of sequence {id} already wait for model '{_config.Name}'");
            }

            if (!known)
            {
                if (_config.Limits.MaxSequences is > 0 and var most && _sequences.Count >= most)
                {
                    return InferenceError.Unavailable($"{request.Prefix}model '{_config.Name}' already serves {most} sequences, its most; end one, or raise its parameter max_sequences");
                }

                _sequences[id] = sequence = new Sequence(id);
            }

            pending.Sequence = sequence;
            if (sequence!.Current is not null)
            {
                pending.Times.Queued = Stopwatch.GetTimestamp();
                sequence.Backlog.AddLast(pending);
                _statistics.AddPending(1);
                return null;
            }

            return Dispatch(sequence, pending);
        }
    }

    /// <summary>Takes what the request left of its state, and sends the next of its sequence on. Called once for every request that was let in; its result comes back, or why it is none.</summary>
    public PendingResult Finish(PendingRequest pending, PendingResult result)
    {
        if (result.Outputs is { } given && _inputs.Refusal(given) is { } refusal)
        {
            given.Dispose();
            result = new PendingResult(null, refusal, FailureReason.Backend);
        }

        Finish(pending, result.Outputs);
        return result;
    }

    /// <summary>Removes a request that still waits behind another of its sequence.</summary>
    public bool TryRemove(PendingRequest pending)
    {
        lock (_gate)
        {
            if (!(pending.Sequence?.Backlog.Remove(pending) ?? false))
            {
                return false;
            }

            _statistics.AddPending(-1);
            return true;
        }
    }

    public void Dispose()
    {
        _sweep.Dispose();
        lock (_gate)
        {
            foreach (var sequence in _sequences.Values.ToArray())
            {
                Forget(sequence);
            }
        }
    }

    private InferenceError? Refusal(CorrelationId id, PendingRequest pending)
    {
        if (id.IsNone)
        {
            return InferenceError.InvalidArgument($"inference request to model '{_config.Name}' must specify a non-zero or non-empty correlation ID");
        }

        return pending.Rows == 1
            ? _inputs.Refusal(id)
            : InferenceError.InvalidArgument($"inference request to model '{_config.Name}' must specify batch-size 1 due to requirements of sequence batcher, got {pending.Rows}");
    }

    private InferenceError? Dispatch(Sequence sequence, PendingRequest pending)
    {
        if (pending.Request.SequenceStart)
        {
            sequence.Keep(null);
        }

        _inputs.Fill(pending.Request, sequence.Id, sequence.State);
        sequence.Current = pending;
        sequence.LastActive = _time.GetTimestamp();
        var error = _queue.TryEnqueue(pending);
        if (error is not null)
        {
            sequence.Current = null;
            if (pending.Request.SequenceStart && sequence.Backlog.Count == 0)
            {
                Forget(sequence);
            }
        }

        return error;
    }

    private void Finish(PendingRequest pending, TensorSet? outputs)
    {
        lock (_gate)
        {
            var sequence = pending.Sequence!;
            sequence.LastActive = _time.GetTimestamp();
            if (sequence.Current != pending)
            {
                return; // it was cancelled in the backlog
            }

            if (outputs is not null)
            {
                sequence.Keep(_inputs.States(outputs));
            }

            sequence.Current = null;
            while (sequence.Current is null && sequence.Backlog.First is { } next)
            {
                sequence.Backlog.RemoveFirst();
                _statistics.AddPending(-1);
                if (Dispatch(sequence, next.Value) is { } error)
                {
                    next.Value.Fail(error, FailureReason.Rejected);
                }
            }

            if (sequence.Current is null && pending.Request.SequenceEnd)
            {
                Forget(sequence);
            }
        }
    }

    private void ForgetIdle()
    {
        var limit = TimeSpan.FromMicroseconds(_sequencing.MaxIdleMicroseconds);
        lock (_gate)
        {
            foreach (var sequence in _sequences.Values.Where(sequence => sequence.Current is null && _time.GetElapsedTime(sequence.LastActive) >= limit).ToArray())
            {
                Forget(sequence);
            }
        }
    }

    private void Forget(Sequence sequence)
    {
        _sequences.Remove(sequence.Id);
        sequence.Keep(null);
    }
}

/// <summary>One sequence: what runs of it, what waits, and what it remembers. Guarded by its scheduler's lock.</summary>
internal sealed class Sequence(CorrelationId id)
{
    public CorrelationId Id { get; } = id;

    public PendingRequest? Current { get; set; }

    public LinkedList<PendingRequest> Backlog { get; } = [];

    /// <summary>Whether the last request that was let in ends the sequence.</summary>
    public bool IsEnding => (Backlog.Last?.Value ?? Current)?.Request.SequenceEnd ?? false;

    public long LastActive { get; set; }

    /// <summary>The states to give to the next request; null for the initial ones.</summary>
    public TensorSet? State { get; private set; }

    public void Keep(TensorSet? state)
    {
        State?.Dispose();
        State = state;
    }
}
