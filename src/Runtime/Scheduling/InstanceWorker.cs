using System.Diagnostics;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>One instance and its thread: take, gather, execute, split, complete, until the queue is closed and empty.</summary>
internal sealed class InstanceWorker : IDisposable
{
    /// <summary>Where it is <c>true</c>, the members of a batch that failed are run again one by one, so that only the bad one fails.</summary>
    public const string RetryParameter = "retry_failed_batch";

    private static readonly long MostPatience = Stopwatch.Frequency / 20_000; // 50 µs, so that it is no burden where clients are far

    private readonly ModelConfig _config;
    private readonly RequestQueue _queue;
    private readonly IModelInstance _instance;
    private readonly ModelStatistics _statistics;
    private readonly Action<InferenceError> _failedForGood;
    private readonly BatchRun _run;
    private readonly bool _retriesFailedBatch;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    /// <summary>The answers of the last batch, where it was more than one request.</summary>
    private BatchAnswers? _answers;
    /// <summary>How many ticks the clients of the last batch have to come back: a fraction of what it cost.</summary>
    private long _patience;

    /// <summary>Begins to take.</summary>
    /// <param name="config">The model's configuration.</param>
    /// <param name="queue">Where it takes from.</param>
    /// <param name="instance">What executes; disposed with the worker.</param>
    /// <param name="watch">Where it counts, and who learns of an error that will not go away when its requests have left.</param>
    /// <param name="name">The thread's name.</param>
    public InstanceWorker(
        ModelConfig config, RequestQueue queue, IModelInstance instance, (ModelStatistics Statistics, Action<InferenceError> FailedForGood) watch, string name)
    {
        (_config, _queue, _instance, _statistics, _failedForGood) = (config, queue, instance, watch.Statistics, watch.FailedForGood);
        _run = new BatchRun(config.Name);
        _retriesFailedBatch = config.Parameters.GetValueOrDefault(RetryParameter) == "true";
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
            throw new InvalidOperationException($"model '{_config.Name}' cannot be disposed on the thread of its instance, where a request that allows synchronous continuations goes on; await something else first");
        }

        _thread.Join();
        _instance.Dispose();
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
            Serve(batch);
            batch.Clear();
            AwaitReturn();
            _answers = null;
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
        var until = Stopwatch.GetTimestamp() + _patience;
        while (_answers is { AreReceived: false } && _queue.HasRoom && Stopwatch.GetTimestamp() < until)
        {
            Thread.SpinWait(1); // a virtual machine may take microseconds for more, which is what is waited for here
        }
    }

    private void Serve(List<PendingRequest> batch)
    {
        var exception = Execute(batch);
        if (exception is null)
        {
            return;
        }

        if (batch.Count > 1 && _retriesFailedBatch && exception is not InferenceException { Error.IsPermanent: true })
        {
            RunOneByOne(batch);
        }
        else
        {
            Fail(batch, exception);
        }
    }

    private void RunOneByOne(List<PendingRequest> batch)
    {
        var single = new List<PendingRequest>(1);
        foreach (var request in batch)
        {
            // Alone it runs on its own inputs, so it must not be answered before that returns.
            if (_run.TryDetach(request))
            {
                single.Add(request);
                Serve(single);
                single.Clear();
            }
        }
    }

    /// <summary>Runs the batch and answers its requests; or returns why it failed, with none of the rest answered.</summary>
    private Exception? Execute(List<PendingRequest> batch)
    {
        var times = new RequestTimes { ComputeStart = Stopwatch.GetTimestamp() };
        TensorSet? gathered = null;
        TensorSet? outputs = null;
        try
        {
            var inputs = Batch.IsGathered(batch) ? batch[0].Inputs : gathered = Batch.Gather(batch, _instance.InputMemory);
            var cancellation = batch.Count == 1 ? batch[0].Cancellation : _run.Begin(batch);
            cancellation.ThrowIfCancellationRequested();
            times.InferStart = Stopwatch.GetTimestamp();
            outputs = _instance.Execute(inputs, cancellation);
            times.InferEnd = Stopwatch.GetTimestamp();
            var rows = batch.Sum(static request => request.Rows);
            Batch.Check(outputs, rows, _config);
            Complete(batch, rows, outputs, ref times);
            return null;
        }
        catch (Exception exception)
        {
            outputs?.Dispose();
            return exception;
        }
        finally
        {
            gathered?.Dispose();
        }
    }

    private void Complete(List<PendingRequest> batch, int rows, TensorSet outputs, ref RequestTimes times)
    {
        var parts = batch[0].Padding?.Split(batch, outputs);
        times.ComputeEnd = Stopwatch.GetTimestamp();
        if (batch[0].Request.Probe is null)
        {
            _statistics.RecordExecution(rows, times);
        }

        if (batch.Count == 1)
        {
            Hand(batch[0], parts is null ? outputs : parts[0], times, null);
            return;
        }

        _answers = new BatchAnswers(batch.Count);
        _patience = Math.Min((times.InferEnd - times.InferStart) / 4, MostPatience);
        try
        {
            Hand(batch, parts, outputs, times);
        }
        finally
        {
            _answers.Send(_queue, Stopwatch.GetTimestamp() + _patience);
        }
    }

    private void Hand(List<PendingRequest> batch, TensorSet[]? parts, TensorSet outputs, in RequestTimes times)
    {
        if (parts is not null)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                Hand(batch[i], parts[i], times, _answers);
            }

            return;
        }

        // The slices keep the batch's memory until the last of them is disposed.
        using (outputs)
        {
            var first = 0;
            foreach (var request in batch)
            {
                Hand(request, outputs.Rows(first, request.Rows), times, _answers);
                first += request.Rows;
            }
        }
    }

    private void Hand(PendingRequest request, TensorSet outputs, in RequestTimes times, BatchAnswers? answers)
    {
        if (!_run.TryClaim(request))
        {
            outputs.Dispose();
            return;
        }

        request.Times = times with { Arrival = request.Times.Arrival, Queued = request.Times.Queued };
        if (request.Order is not null)
        {
            request.Complete(outputs);
            return;
        }

        var answer = new PendingResult(outputs, null, default);
        if (answers is null)
        {
            request.Release(answer, inline: request.Request.AllowSynchronousContinuations && _queue.HasRoom);
            return;
        }

        request.Answer = answer;
        answers.Add(request);
    }

    private void Fail(List<PendingRequest> batch, Exception exception)
    {
        var isTold = false;
        foreach (var request in batch)
        {
            if (!_run.TryClaim(request))
            {
                continue;
            }

            isTold = true;
            switch (exception)
            {
                case OperationCanceledException when request.Cancellation.IsCancellationRequested:
                    request.Cancel(_config.Name);
                    break;
                case InferenceException inference:
                    request.Fail(inference.Error, FailureReason.Backend);
                    break;
                default:
                    request.Fail(InferenceError.Internal($"{request.Request.Prefix}execution of model '{_config.Name}' failed: {exception.Message}"), FailureReason.Backend);
                    break;
            }
        }

        if (!isTold && exception is InferenceException { Error: { IsPermanent: true } error })
        {
            _failedForGood(error);
        }
    }
}
