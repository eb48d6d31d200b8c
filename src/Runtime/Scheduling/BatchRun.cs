namespace Runtime.Scheduling;

/// <summary>
/// Who of a worker's batch still waits for its answer. A member of several that is cancelled is answered at once, since
/// the execution reads a copy of its inputs; when the last is, the execution is told to stop. One a worker, for all its batches.
/// </summary>
internal sealed class BatchRun(string modelName)
{
    private readonly Lock _gate = new();
    private CancellationTokenSource? _stop;
    private int _waiting;

    /// <summary>Ties requests to this run, once their inputs are copied or shared; the token is cancelled when all of them are.</summary>
    public CancellationToken Begin(List<PendingRequest> batch)
    {
        var mayStop = batch.TrueForAll(static request => request.Cancellation.CanBeCanceled);
        var token = CancellationToken.None;
        lock (_gate)
        {
            // Whoever cancelled the last of an earlier batch may be about to cancel that batch's source.
            _stop = _waiting == 0 ? null : _stop;
            _waiting = batch.Count;
            if (batch.Count == 1)
            {
                token = batch[0].Cancellation;
            }
            else if (mayStop)
            {
                _stop ??= new CancellationTokenSource();
                token = _stop.Token;
            }

            foreach (var request in batch)
            {
                request.Run = this;
            }
        }

        // A callback that came before its request was tied did nothing; one that comes later finds the run.
        Interlocked.MemoryBarrier();
        foreach (var request in batch)
        {
            if (request.Cancellation.IsCancellationRequested)
            {
                Cancel(request);
            }
        }

        return token;
    }

    /// <summary>Answers a member whose client has gone, unless it has its answer.</summary>
    public void Cancel(PendingRequest request)
    {
        CancellationTokenSource? stop;
        lock (_gate)
        {
            if (request.Run != this)
            {
                return;
            }

            request.Run = null;
            request.IsAnswered = true;
            _waiting--;
            stop = _waiting == 0 ? _stop : null;
        }

        request.Cancel(modelName);
        stop?.Cancel();
    }

    /// <summary>Whether the request still waits for an answer; if so, only the worker can give it now.</summary>
    public bool TryDetach(PendingRequest request)
    {
        lock (_gate)
        {
            request.Run = null;
            return !request.IsAnswered;
        }
    }

    /// <summary>Whether the request is the caller's to answer, which it then must do.</summary>
    public bool TryClaim(PendingRequest request)
    {
        lock (_gate)
        {
            request.Run = null;
            var isWaiting = !request.IsAnswered;
            request.IsAnswered = true;
            return isWaiting;
        }
    }
}
