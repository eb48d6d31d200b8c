using System.Diagnostics;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>One instance and its thread: take, gather, execute, split, complete, until the queue is closed and empty.</summary>
internal sealed class InstanceWorker : IDisposable
{
    private readonly ModelConfig _config;
    private readonly RequestQueue _queue;
    private readonly IModelInstance _instance;
    private readonly ModelStatistics _statistics;
    private readonly Thread _thread;

    public InstanceWorker(ModelConfig config, RequestQueue queue, IModelInstance instance, ModelStatistics statistics, string name)
    {
        (_config, _queue, _instance, _statistics) = (config, queue, instance, statistics);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Waits for the thread, which ends when the queue is closed and empty, and disposes the instance.</summary>
    public void Dispose()
    {
        _thread.Join();
        _instance.Dispose();
    }

    private void Run()
    {
        var batch = new List<PendingRequest>();
        while (_queue.Take(batch))
        {
            Serve(batch);
            batch.Clear();
        }
    }

    private void Serve(List<PendingRequest> batch)
    {
        var times = new RequestTimes { ComputeStart = Stopwatch.GetTimestamp() };
        TensorSet? gathered = null;
        TensorSet? outputs = null;
        try
        {
            var inputs = Batch.IsGathered(batch) ? batch[0].Inputs : gathered = Batch.Gather(batch);
            times.InferStart = Stopwatch.GetTimestamp();
            outputs = _instance.Execute(inputs, batch.Count == 1 ? batch[0].Cancellation : CancellationToken.None);
            times.InferEnd = Stopwatch.GetTimestamp();
            var rows = batch.Sum(static request => request.Rows);
            Batch.Check(outputs, rows, _config);
            Complete(batch, rows, outputs, ref times);
        }
        catch (Exception exception)
        {
            outputs?.Dispose();
            Fail(batch, exception);
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
        _statistics.RecordExecution(rows, times);
        if (parts is not null)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                Hand(batch[i], parts[i], times);
            }

            return;
        }

        if (batch.Count == 1)
        {
            Hand(batch[0], outputs, times);
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

    private static void Hand(PendingRequest request, TensorSet outputs, in RequestTimes times)
    {
        request.Times = times with { Arrival = request.Times.Arrival, Queued = request.Times.Queued };
        request.Complete(outputs);
    }

    private void Fail(List<PendingRequest> batch, Exception exception)
    {
        foreach (var request in batch)
        {
            var (error, reason) = exception switch
            {
                InferenceException inference => (inference.Error, FailureReason.Backend),
                OperationCanceledException => (new InferenceError(ErrorCode.Cancelled, $"{request.Request.Prefix}request was cancelled"), FailureReason.Canceled),
                _ => (InferenceError.Internal($"{request.Request.Prefix}execution of model '{_config.Name}' failed: {exception.Message}"), FailureReason.Backend),
            };
            request.Fail(error, reason);
        }
    }
}
