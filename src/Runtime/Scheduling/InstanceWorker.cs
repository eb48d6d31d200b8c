using System.Diagnostics;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Scheduling;

/// <summary>One instance and its thread: take a batch and execute it, until the queue is closed and empty.</summary>
internal sealed class InstanceWorker : IDisposable
{
    /// <summary>What an execution may cost on a thread that is not the instance's: 100 µs, several times what waking a thread does.</summary>
    private static readonly long MostCostElsewhere = Stopwatch.Frequency / 10_000;

    private readonly RequestQueue _queue;
    private readonly IModelInstance _instance;
    private readonly BatchExecutor _executor;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _executing = new();
    private readonly List<PendingRequest> _single = new(1);
    private bool _isDisposed;

    /// <summary>Begins to take.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="queue">Where it takes from.</param>
    /// <param name="instance">What executes; disposed with the worker.</param>
    /// <param name="watch">Where it counts, and who learns of an error that will not go away when its requests have left.</param>
    /// <param name="name">The thread's name.</param>
    public InstanceWorker(
        ModelConfig config, RequestQueue queue, IModelInstance instance, (ModelStatistics Statistics, Action<InferenceError> FailedForGood) watch, string name)
    {
        (_queue, _instance) = (queue, instance);
        _executor = new BatchExecutor(config, queue, instance, watch.Statistics, watch.FailedForGood);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Waits until the instance is prepared.</summary>
    /// <exception cref="InferenceException">It could not be; or whatever else it threw.</exception>
    public void AwaitPrepared() => _prepared.Task.GetAwaiter().GetResult();

    /// <summary>Waits for the thread, which ends when the queue is closed and empty, and disposes the instance.</summary>
    /// <exception cref="InvalidOperationException">This is that thread, lent to a receiver of an answer; it would wait for itself.</exception>
    public void Dispose()
    {
        if (Thread.CurrentThread == _thread)
        {
            throw new InvalidOperationException("a model cannot be disposed on the thread of its instance, where a request that allows synchronous continuations goes on; await something else first");
        }

        _thread.Join();
        lock (_executing)
        {
            _isDisposed = true;
            _instance.Dispose();
        }
    }

    /// <summary>
    /// Executes a request that no other is with on the caller's thread, where the instance is free and cheap enough: waking its
    /// thread and the receiver's would cost more than the execution. False where it is for the queue.
    /// </summary>
    public bool TryServeHere(PendingRequest request)
    {
        if (!_instance.RunsOnAnyThread || !_executor.IsCheap(request.Inputs.ByteCount, MostCostElsewhere) || _executing.IsHeldByCurrentThread || !_executing.TryEnter())
        {
            return false;
        }

        try
        {
            if (_isDisposed)
            {
                return false;
            }

            request.Times.Queued = Stopwatch.GetTimestamp();
            _single.Add(request);
            _executor.Serve(_single);
            return true;
        }
        finally
        {
            _single.Clear();
            _executing.Exit();
        }
    }

    private void Run()
    {
        try
        {
            _instance.Prepare();
        }
        catch (Exception exception)
        {
            _prepared.SetException(exception);
            return;
        }

        _prepared.SetResult();
        var batch = new List<PendingRequest>();
        while (_queue.Take(batch))
        {
            lock (_executing)
            {
                _executor.Serve(batch);
            }

            batch.Clear();
            AwaitReturn();
            _executor.Answers = null;
        }
    }

    /// <summary>
    /// Lets those who were just answered come back before the next take, where they can make its batch larger: on a few cores
    /// a batch whose clients are all back is worth more than an instance that is never late.
    /// </summary>
    private void AwaitReturn()
    {
        if (!_queue.HasRoom)
        {
            return;
        }

        // The pool's thread may have been woken on this core; spinning at once would hold it up by as long as the spin.
        Thread.Yield();
        var until = Stopwatch.GetTimestamp() + _executor.Patience;
        while (_executor.Answers is { AreReceived: false } && _queue.HasRoom && Stopwatch.GetTimestamp() < until)
        {
            Thread.SpinWait(1); // a virtual machine may take microseconds for more, which is what is waited for here
        }
    }
}
