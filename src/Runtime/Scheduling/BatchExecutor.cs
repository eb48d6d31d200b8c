using System.Diagnostics;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>Executes batches on one instance and answers their requests: gather, execute, split, complete. For one thread at a time.</summary>
/// <param name="config">The model's configuration.</param>
/// <param name="queue">Where answered clients come back to.</param>
/// <param name="instance">What executes.</param>
/// <param name="statistics">Where executions are counted.</param>
/// <param name="failedForGood">Who learns of an error that will not go away when its requests have left.</param>
internal sealed class BatchExecutor(ModelConfig config, RequestQueue queue, IModelInstance instance, ModelStatistics statistics, Action<InferenceError> failedForGood)
{
    /// <summary>Where it is <c>true</c>, the members of a batch that failed are run again one by one, so that only the bad one fails.</summary>
    public const string RetryParameter = "retry_failed_batch";

    private static readonly long MostPatience = Stopwatch.Frequency / 20_000; // 50 µs, so that it is no burden where clients are far

    private readonly BatchRun _run = new(config.Name);
    private readonly bool _retriesFailedBatch = config.Parameters.GetValueOrDefault(RetryParameter) == "true";
    private long _cost = long.MaxValue;
    private long _recentCost = long.MaxValue;
    private long _bytes;

    /// <summary>The answers of the last batch, where it was more than one request; forgotten by whoever has looked at them.</summary>
    public BatchAnswers? Answers { get; set; }

    /// <summary>How many ticks the clients of the last batch have to come back: a fraction of what it cost.</summary>
    public long Patience => Math.Min(_cost / 4, MostPatience);

    /// <summary>
    /// Whether a request of that many bytes can be expected to take no more ticks than that: no more bytes than the last
    /// execution had, and an expensive one is long ago. Asked by any thread.
    /// </summary>
    public bool IsCheap(long bytes, long most) => Volatile.Read(ref _recentCost) <= most && bytes <= Volatile.Read(ref _bytes);

    /// <summary>Executes a batch and answers all of its requests.</summary>
    public void Serve(List<PendingRequest> batch)
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
            var inputs = Batch.IsGathered(batch) ? batch[0].Inputs : gathered = Batch.Gather(batch, instance.InputMemory);
            var cancellation = batch.Count == 1 ? batch[0].Cancellation : _run.Begin(batch);
            cancellation.ThrowIfCancellationRequested();
            times.InferStart = Stopwatch.GetTimestamp();
            outputs = instance.Execute(inputs, cancellation);
            times.InferEnd = Stopwatch.GetTimestamp();
            var rows = batch.Sum(static request => request.Rows);
            Batch.Check(outputs, rows, config);
            Remember(times.InferEnd - times.InferStart, inputs.ByteCount);
            Complete(batch, rows, outputs, ref times);
            return null;
        }
        catch (Exception exception)
        {
            if (times.InferStart > 0)
            {
                Remember(Stopwatch.GetTimestamp() - times.InferStart, _bytes);
            }

            outputs?.Dispose();
            return exception;
        }
        finally
        {
            gathered?.Dispose();
        }
    }

    /// <summary>An expensive execution is forgotten by halves: after one of a second, fourteen cheap ones make the next expected to be cheap.</summary>
    private void Remember(long cost, long bytes)
    {
        _cost = cost;
        Volatile.Write(ref _recentCost, _recentCost == long.MaxValue ? cost : Math.Max(cost, _recentCost / 2));
        Volatile.Write(ref _bytes, bytes);
    }

    private void Complete(List<PendingRequest> batch, int rows, TensorSet outputs, ref RequestTimes times)
    {
        var parts = batch[0].Padding?.Split(batch, outputs);
        times.ComputeEnd = Stopwatch.GetTimestamp();
        if (batch[0].Request.Probe is null)
        {
            statistics.RecordExecution(rows, times);
        }

        if (batch.Count == 1)
        {
            Answers = null;
            Hand(batch[0], parts is null ? outputs : parts[0], times);
            return;
        }

        Answers = new BatchAnswers(batch.Count);
        try
        {
            Hand(batch, parts, outputs, times);
        }
        finally
        {
            Answers.Send(queue, Stopwatch.GetTimestamp() + Patience);
        }
    }

    private void Hand(List<PendingRequest> batch, TensorSet[]? parts, TensorSet outputs, in RequestTimes times)
    {
        if (parts is not null)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                Hand(batch[i], parts[i], times);
            }

            return;
        }

        // The slices keep the batch's memory until the last of them is disposed.
        using (outputs)
        {
            var first = 0;
            foreach (var request in batch)
            {
                Hand(request, outputs.Rows(first, request.Rows), times);
                first += request.Rows;
            }
        }
    }

    private void Hand(PendingRequest request, TensorSet outputs, in RequestTimes times)
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
        if (Answers is null)
        {
            request.Release(answer, inline: request.Request.AllowSynchronousContinuations && queue.HasRoom);
            return;
        }

        request.Answer = answer;
        Answers.Add(request);
    }

    /// <summary>The error as each request hears it. Which of several requests is at fault nobody knows, so that none is told that it is.</summary>
    private static InferenceError OfOne(InferenceError error, int requests) => requests > 1 && error.Code == ErrorCode.InvalidArgument
        ? error with { Code = ErrorCode.Internal, Message = $"the execution of a batch of {requests} requests failed: {error.Message}" }
        : error;

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
                    request.Cancel(config.Name);
                    break;
                case InferenceException inference:
                    request.Fail(OfOne(inference.Error, batch.Count), FailureReason.Backend);
                    break;
                default:
                    request.Fail(InferenceError.Internal($"{request.Request.Prefix}execution of model '{config.Name}' failed: {exception.Message}"), FailureReason.Backend);
                    break;
            }
        }

        if (!isTold && exception is InferenceException { Error: { IsPermanent: true } error })
        {
            failedForGood(error);
        }
    }
}
