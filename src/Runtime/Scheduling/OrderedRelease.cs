namespace Runtime.Scheduling;

/// <summary>
/// Lets answered requests go in the order in which they came, whichever instance finishes first. A request that fails
/// gives up its place and goes at once. Answers leave one after the other on a thread of the pool, so that each is in its
/// receiver's hands before the next.
/// </summary>
internal sealed class OrderedRelease : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly LinkedList<PendingRequest> _places = [];
    private readonly Queue<PendingRequest> _leaving = [];
    private bool _isReleasing;

    /// <summary>Gives the request the last place. The caller sees to the order of calls.</summary>
    public void Enter(PendingRequest request)
    {
        lock (_gate)
        {
            request.Order = this;
            request.Place = _places.AddLast(request);
        }
    }

    /// <summary>Takes the answer of a request that has a place, and lets go all who wait for nobody any more.</summary>
    public void Answer(PendingRequest request, PendingResult answer)
    {
        lock (_gate)
        {
            request.Answer = answer;
            if (answer.Error is not null)
            {
                _places.Remove(request.Place!);
            }

            while (_places.First is { Value.Answer: not null } first)
            {
                _places.RemoveFirst();
                _leaving.Enqueue(first.Value);
            }
        }

        if (answer.Error is not null)
        {
            request.Release(answer, inline: false);
        }

        StartReleasing();
    }

    void IThreadPoolWorkItem.Execute()
    {
        while (Next() is { } request)
        {
            request.Release(request.Answer!.Value, inline: true);
        }
    }

    private void StartReleasing()
    {
        lock (_gate)
        {
            if (_isReleasing || _leaving.Count == 0)
            {
                return;
            }

            _isReleasing = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private PendingRequest? Next()
    {
        lock (_gate)
        {
            _isReleasing = _leaving.TryDequeue(out var request);
            return request;
        }
    }
}
