namespace Runtime.Scheduling;

/// <summary>
/// The answers of one batch on their way: one item of the thread pool hands them over in turn, which costs a fraction of an
/// item each. Before a receiver goes on, the item is queued once more for the rest, so that idle threads of the pool join
/// in, and a receiver that blocks holds up nobody else.
/// </summary>
internal sealed class BatchAnswers(int capacity) : IThreadPoolWorkItem
{
    private readonly PendingRequest[] _requests = new PendingRequest[capacity];
    private int _count;
    private int _taken;
    private int _received;
    private int _isQueued;

    /// <summary>Whether every receiver has its answer, and went on to where it waits again.</summary>
    public bool AreReceived => Volatile.Read(ref _received) == _count;

    /// <summary>Takes a request whose <see cref="PendingRequest.Answer"/> is set. Not after <see cref="Send"/>.</summary>
    public void Add(PendingRequest request) => _requests[_count++] = request;

    /// <summary>Lets the pool hand the answers over. Once.</summary>
    public void Send()
    {
        if (_count > 0)
        {
            QueueOnce();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _isQueued, 0);
        for (var taken = Interlocked.Increment(ref _taken); taken <= _count; taken = Interlocked.Increment(ref _taken))
        {
            if (taken < _count)
            {
                QueueOnce();
            }

            var request = _requests[taken - 1];
            request.Release(request.Answer!.Value, inline: true);
            Interlocked.Increment(ref _received);
        }
    }

    private void QueueOnce()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
