using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models.Configuration;
using Runtime.Scheduling;

namespace Runtime.Models;

/// <summary>The instances of one loaded version, and what brings requests to them: the queue, the threads or the runner, the sequences.</summary>
internal sealed class ModelInstances : IDisposable
{
    private readonly ILoadedModel _loaded;
    private readonly InstanceWorker[] _workers = [];
    private readonly AsyncRunner? _runner;
    private readonly IStreamingInstance[] _streaming;
    /// <summary>Whether a lone request need not wait for company or its turn in a sequence.</summary>
    private readonly bool _mayServeHere;
    private int _nextStreaming;

    /// <summary>Makes the instances and starts their threads. Takes over <paramref name="loaded"/>, also when it throws.</summary>
    public ModelInstances(
        ModelConfig config, long version, ILoadedModel loaded, (ModelStatistics Statistics, TimeProvider Time, Action<InferenceError> FailedForGood) watch, string directory)
    {
        _loaded = loaded;
        var instances = new List<IDisposable>();
        SequenceInputs? sequenceInputs;
        try
        {
            Padding = Padding.Of(config);
            sequenceInputs = config.SequenceBatching is null ? null : new SequenceInputs(config, directory);
            foreach (var device in config.InstanceDevices)
            {
                instances.Add(loaded.CreateInstance(sequenceInputs?.InstanceConfig ?? config, device));
            }

            if (instances[0] is IAsyncInstance)
            {
                _runner = new AsyncRunner(config, [.. instances.Cast<IAsyncInstance>()], watch.Statistics, watch.Time);
            }
        }
        catch
        {
            instances.ForEach(instance => instance.Dispose());
            loaded.Dispose();
            throw;
        }

        _streaming = [.. instances.OfType<IStreamingInstance>()];
        if (_runner is not null)
        {
            Queue = _runner.Queue;
        }
        else if (instances[0] is IModelInstance)
        {
            Queue = new RequestQueue(config, watch.Statistics, watch.Time);
            Placement = InstancePlacement.Text(config.InstanceDevices);
            var warmup = new InstanceWarmup(config, directory, loaded, watch.Statistics) { Sequences = sequenceInputs, Padding = Padding };
            _workers = [.. instances.Select((instance, i) => new InstanceWorker(config, Queue, warmup.Prepares((IModelInstance)instance), (watch.Statistics, watch.FailedForGood), $"{config.Name}_{version}_{i}"))];
            AwaitWorkers();
            _mayServeHere = sequenceInputs is null && config.DynamicBatching is null or { MaxQueueDelayMicroseconds: 0, PreserveOrdering: false };
        }

        Sequences = sequenceInputs is null || Queue is null ? null : new SequenceScheduler(config, sequenceInputs, Queue, watch.Statistics, watch.Time);
    }

    /// <summary>Where requests wait; null for a model that only streams.</summary>
    public RequestQueue? Queue { get; }

    public SequenceScheduler? Sequences { get; }

    /// <summary>Whether the instances have run the warm-up samples; those without a thread each leave that to the model.</summary>
    public bool AreWarmed => _workers.Length > 0;

    /// <summary>Bytes of GPU memory that the backend knows to be the model's.</summary>
    public long GpuMemoryBytes => _loaded.MemoryUse().Sum(use => use.Bytes);

    /// <summary>How requests of different shapes are made alike; null where they are not.</summary>
    public Padding? Padding { get; }

    public bool CanStream => _streaming.Length > 0;

    /// <summary>Whether requests of any shapes share a batch, since each stays by itself in it.</summary>
    public bool MixShapes => _runner is not null;

    /// <summary>What they run on, for the log; empty for those without threads of their own.</summary>
    public string Placement { get; } = "";

    /// <summary>Serves a request that is the model's only one at once, on this thread; false where it has to go through the queue.</summary>
    public bool TryServeHere(PendingRequest request) => _mayServeHere && _workers[0].TryServeHere(request);

    /// <summary>The instance for the next stream, each in its turn.</summary>
    public IStreamingInstance NextStreaming() => _streaming[(uint)Interlocked.Increment(ref _nextStreaming) % (uint)_streaming.Length];

    /// <summary>Serves what waits, lets in no more, ends the threads and frees what the backend loaded. May block as long as an execution.</summary>
    public void Dispose()
    {
        Queue?.Close();
        foreach (var worker in _workers)
        {
            worker.Dispose();
        }

        Sequences?.Dispose();
        _runner?.Dispose();
        foreach (var instance in _runner is null ? _streaming : [])
        {
            instance.Dispose();
        }

        _loaded.Dispose();
    }

    private void AwaitWorkers()
    {
        try
        {
            foreach (var worker in _workers)
            {
                worker.AwaitPrepared();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }
}
