using System.Diagnostics;

namespace Runtime.Scheduling;

/// <summary>
/// The answers of one batch on their way: one item of the thread pool hands them over in turn, which costs a fraction of an
/// item each. Before a receiver goes on, the item is queued once more for the rest, so that idle threads of the pool join
/// in, and a receiver that blocks holds up nobody else. Receivers that say they go on in no time do so on the instance's thread.
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

    /// <summary>Hands over the answers of receivers that go on on this thread, one after the other, and lets the pool do the rest. Once.</summary>
    /// <param name="queue">Where receivers come back to; what fills a batch there ends this thread's part.</param>
    /// <param name="until">The timestamp that ends it too.</param>
    public void Send(RequestQueue queue, long until)
    {
        var isLate = false;
        while (!isLate && _taken < _count && queue.HasRoom && _requests[_taken].Request.AllowSynchronousContinuations)
        {
            Release(_requests[_taken++]);
            isLate = Stopwatch.GetTimestamp() >= until;
        }

        if (_taken < _count)
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

            Release(_requests[taken - 1]);
        }
    }

    private void Release(PendingRequest request)
    {
        request.Release(request.Answer!.Value, inline: true);
        Interlocked.Increment(ref _received);
    }

    private void QueueOnce()
    {
        if (Interlocked.Exchange(ref _isQueued, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
