using System.Buffers;
using System.Diagnostics;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>Runs a model's warm-up samples on each of its instances, one instance after the other, past the queue and its limits.</summary>
internal sealed class InstanceWarmup(ModelConfig config, string directory, ILoadedModel loaded, ModelStatistics statistics)
{
    private readonly Lock _gate = new();
    private bool _hasFailed;

    /// <summary>What fills a sequence model's controls and states; null for any other model.</summary>
    public SequenceInputs? Sequences { get; init; }

    public Padding? Padding { get; init; }

    /// <summary>The instance, which runs the samples as the last part of its preparation; or itself where there are none.</summary>
    public IModelInstance Prepares(IModelInstance instance) => config.Message.ModelWarmup.Count == 0 ? instance : new WarmedInstance(instance, this);

    private void Run(IModelInstance instance)
    {
        lock (_gate)
        {
            if (_hasFailed)
            {
                return; // the load fails already
            }

            _hasFailed = true; // unless it comes to the end
            foreach (var sample in config.Message.ModelWarmup)
            {
                for (var run = 0; run < Math.Max((uint)loaded.LeastWarmupRuns, sample.Count); run++)
                {
                    Run(instance, sample);
                }
            }

            _hasFailed = false;
        }
    }

    private void Run(IModelInstance instance, Protocol.ModelWarmup sample)
    {
        var requests = new List<PendingRequest>();
        try
        {
            // Requests of a sequence model have one row, so several make the batch.
            for (var i = 0; i < (Sequences is null ? 1 : Math.Max(1, sample.BatchSize)); i++)
            {
                requests.Add(Prepared(sample));
            }

            Execute(instance, requests);
        }
        catch (Exception exception)
        {
            var error = (exception as InferenceException)?.Error ?? InferenceError.Internal($"execution failed: {exception.Message}");
            throw ModelWarmup.Failed(config, sample, error);
        }
        finally
        {
            requests.ForEach(static request => request.Request.Dispose());
        }
    }

    private PendingRequest Prepared(Protocol.ModelWarmup sample)
    {
        var request = ModelWarmup.Request(config, sample, directory);
        try
        {
            var error = RequestCheck.Check(request, config, out var rows) ?? Padding?.Refusal(request);
            if (error is not null)
            {
                throw new InferenceException(error);
            }

            Sequences?.Fill(request, new CorrelationId(request.SequenceId, ""), state: null);
            return new PendingRequest(request, rows, CancellationToken.None) { Padding = Padding };
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private void Execute(IModelInstance instance, List<PendingRequest> requests)
    {
        var times = new RequestTimes { Arrival = requests[0].Request.ArrivalTimestamp, ComputeStart = Stopwatch.GetTimestamp() };
        using var gathered = Batch.IsGathered(requests) ? null : Batch.Gather(requests, instance.InputMemory);
        times.InferStart = Stopwatch.GetTimestamp();
        using var outputs = instance.Execute(gathered ?? requests[0].Inputs, CancellationToken.None);
        times.InferEnd = times.ComputeEnd = Stopwatch.GetTimestamp();
        var rows = requests.Sum(static request => request.Rows);
        Batch.Check(outputs, rows, config);
        statistics.RecordExecution(rows, times);
        requests.ForEach(request => statistics.RecordSuccess(times, request.Rows, request.Inputs.ByteCount));
    }

    private sealed class WarmedInstance(IModelInstance instance, InstanceWarmup warmup) : IModelInstance
    {
        public MemoryPool<byte>? InputMemory => instance.InputMemory;

        public bool RunsOnAnyThread => instance.RunsOnAnyThread;

        public void Prepare()
        {
            instance.Prepare();
            warmup.Run(instance);
        }

        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation) => instance.Execute(inputs, cancellation);

        public void Dispose() => instance.Dispose();
    }
}
