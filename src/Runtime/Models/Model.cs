using System.Diagnostics;
using System.Runtime.CompilerServices;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Schemas;

namespace Runtime.Models;

/// <summary>One version of a model that serves: the only door to inference, for every protocol.</summary>
public sealed class Model : IDisposable
{
    private readonly ModelInstances? _instances;
    private readonly RequestQueue? _queue;
    private readonly SequenceScheduler? _sequences;
    private readonly Ensemble? _ensemble;
    private readonly TimeProvider _time;
    private readonly Padding? _padding;
    private readonly ConcurrencyLimit? _concurrency;
    private readonly ModelResponses _responses;
    /// <summary>The requests that wait for an instance or execute.</summary>
    private int _inFlight;

    /// <summary>Makes the instances and starts their threads. Takes over <paramref name="loaded"/>, also when it throws.</summary>
    /// <param name="config">The complete configuration.</param>
    /// <param name="version">The version's number, at least 1.</param>
    /// <param name="loaded">What the backend loaded.</param>
    /// <param name="labels">Class labels by output name.</param>
    /// <param name="time">The clock of timeouts.</param>
    /// <param name="directory">Where a sequence model's initial states are.</param>
    public Model(ModelConfig config, long version, ILoadedModel loaded, IReadOnlyDictionary<string, string[]> labels, TimeProvider time, string directory = "")
    {
        (Config, Version, _time, _concurrency, Directory) = (config, version, time, ConcurrencyOf(config), directory);
        _responses = new ModelResponses(this, labels);
        _instances = new ModelInstances(config, version, loaded, (Statistics, time, Report), directory);
        (_queue, _sequences, _padding) = (_instances.Queue, _instances.Sequences, _instances.Padding);
        Statistics.IsDecoupled = _queue is null;
    }

    /// <summary>A model that is a graph of others.</summary>
    internal Model(ModelConfig config, long version, Ensemble ensemble, IReadOnlyDictionary<string, string[]> labels, TimeProvider time)
    {
        (Config, Version, _ensemble, _time, _concurrency) = (config, version, ensemble, time, ConcurrencyOf(config));
        _responses = new ModelResponses(this, labels);
    }

    /// <summary>Raised when an execution failed for a reason that will not go away; handlers must be quick and must not throw.</summary>
    public event Action<InferenceError>? FailedForGood;

    public string Name => Config.Name;

    public long Version { get; }

    public ModelConfig Config { get; }

    public ModelStatistics Statistics { get; } = new();

    /// <summary>Where its answers are kept; null for nowhere.</summary>
    internal ModelCache? Cache { get; private set; }

    /// <summary>Where its warm-up data is; empty for a model without a directory.</summary>
    internal string Directory { get; } = "";

    /// <summary>Whether requests never share an execution, as those of C# functions.</summary>
    internal bool IsAsynchronous => _instances is { MixShapes: true };

    /// <summary>What its instances run on, for the log; empty for a model that has none of its own.</summary>
    internal string Placement => _instances?.Placement ?? "";

    /// <summary>Bytes of GPU memory that are known to be its own, on all GPUs together; asked while a lease keeps it loaded.</summary>
    public long GpuMemoryBytes => _instances?.GpuMemoryBytes ?? 0;

    /// <summary>Whether its instances have run the configuration's warm-up samples themselves.</summary>
    internal bool IsWarmed => _instances is { AreWarmed: true };

    /// <summary>The requests that hold a slot; 0 for a model without a limit.</summary>
    public long SlotsInUse => _concurrency?.InUse ?? 0;

    /// <summary>Whether <see cref="InferAsync"/> serves it, as all but decoupled models.</summary>
    public bool AnswersOnce => _queue is not null || _ensemble is not null;

    /// <summary>Tells of an error that a response met on its way out, in case that it will not go away.</summary>
    public void Report(InferenceError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (error.IsPermanent)
        {
            FailedForGood?.Invoke(error);
        }
    }

    /// <summary>Counts a request that was refused before it came here.</summary>
    public void CountRefused() => Statistics.RecordFailure(Stopwatch.GetTimestamp(), FailureReason.Rejected);

    /// <summary>Whether <see cref="StreamAsync"/> may give several responses: a decoupled model, or a function that streams as well.</summary>
    public bool CanStream => _instances is { CanStream: true };

    /// <summary>Takes a slot for a request that is still to be read, or says that the model has none left or its queue is full. The caller disposes it once, after the response.</summary>
    public InferenceError? TryEnter(out ModelSlot slot)
    {
        slot = default;
        var error = QueueRefusal();
        if (error is null && _concurrency is not null)
        {
            if (_concurrency.TryTake())
            {
                slot = new ModelSlot(_concurrency);
                return null;
            }

            error = SlotRefusal(_concurrency);
        }

        return CountRefused(error);
    }

    /// <summary>What <see cref="TryEnter"/> would say now, without taking a slot.</summary>
    public InferenceError? RefusalOfNext() => CountRefused(QueueRefusal() ?? (_concurrency is { IsFull: true } slots ? SlotRefusal(slots) : null));

    /// <summary>Answers one request with one response; failures are responses too. The caller disposes request and response.</summary>
    /// <exception cref="InvalidOperationException">The model is decoupled, so only <see cref="StreamAsync"/> serves it.</exception>
    public ValueTask<InferenceResponse> InferAsync(InferenceRequest request, CancellationToken cancellation)
        => ModelTracing.Source.HasListeners() ? ModelTracing.InferAsync(this, request, cancellation) : AnswerAsync(request, cancellation);

    /// <summary>Answers one request with any number of responses; a model that is not decoupled gives one. An error is the last response.</summary>
    public IAsyncEnumerable<InferenceResponse> StreamAsync(InferenceRequest request, CancellationToken cancellation)
        => ModelTracing.Source.HasListeners() ? ModelTracing.StreamAsync(this, request, cancellation) : AnswersAsync(request, cancellation);

    internal async ValueTask<InferenceResponse> AnswerAsync(InferenceRequest request, CancellationToken cancellation)
    {
        using var deadline = request.Probe is null ? RequestDeadline.Start(Config, _time, ref cancellation) : null;
        var error = Check(request, out var rows);
        if (error is not null)
        {
            return _responses.Refuse(request, error, FailureReason.Other);
        }

        CacheMiss? miss = null;
        if (request.Probe is null && Cache?.Find(request, out miss) is { } cached)
        {
            request.Timeline?.AddResponse();
            return new InferenceResponse(Name, Version, request.Id, cached) { Parameters = cached.Parameters };
        }

        if (_ensemble is not null)
        {
            var times = new RequestTimes { Arrival = request.ArrivalTimestamp };
            var start = Stopwatch.GetTimestamp();
            var outcome = await _ensemble.RunAsync(request, cancellation).ConfigureAwait(false);
            request.Timeline?.Record(times with { ComputeStart = start, ComputeEnd = Stopwatch.GetTimestamp() }, rows);
            return _responses.Respond(request, RequestDeadline.InTime(outcome, request, Config, deadline), times, rows, miss);
        }

        var queue = _queue ?? throw new InvalidOperationException($"model '{Name}' is decoupled");
        var pending = new PendingRequest(request, rows, cancellation) { Padding = _padding, MixesShapes = _instances!.MixShapes };
        PendingResult result;
        var isAlone = Interlocked.Increment(ref _inFlight) == 1;
        try
        {
            var isServed = isAlone && request.Probe is null && _instances.TryServeHere(pending);
            error = isServed ? null : _sequences is null ? queue.TryEnqueue(pending) : _sequences.TryEnqueue(pending);
            if (error is not null)
            {
                return _responses.Refuse(request, error, error.Code == ErrorCode.Unavailable ? FailureReason.Rejected : FailureReason.Other);
            }

            using (cancellation.CanBeCanceled && !isServed ? cancellation.UnsafeRegister(CancelPending, Tuple.Create(this, pending)) : default)
            {
                result = await pending.Completion.ConfigureAwait(false);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }

        result = _sequences?.Finish(pending, result) ?? result;
        request.Timeline?.Record(pending.Times, rows);
        return _responses.Respond(request, RequestDeadline.InTime(result, request, Config, deadline), pending.Times, rows, miss);
    }

    internal async IAsyncEnumerable<InferenceResponse> AnswersAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!CanStream)
        {
            yield return await AnswerAsync(request, cancellation).ConfigureAwait(false);
            yield break;
        }

        var error = Check(request, out var rows);
        if (error is not null)
        {
            yield return _responses.Refuse(request, error, FailureReason.Other);
            yield break;
        }

        await foreach (var response in new ModelStream(this, _responses, _instances!.NextStreaming(), _time).RunAsync(request, rows, cancellation).ConfigureAwait(false))
        {
            yield return response;
        }
    }

    /// <summary>What requests are checked against besides the configuration; null for nothing.</summary>
    public SchemaValidator? Schema { get; private set; }

    /// <summary>Restricts the requests from now on. Called at most once, before the version serves.</summary>
    internal void UseSchema(InputSchema? schema) => Schema = schema is null ? null : new SchemaValidator(schema, Name, Config.MaxBatchSize);

    /// <summary>Keeps answers there from now on, if the configuration wants it. Called at most once, before the version serves.</summary>
    internal void UseCache(ResponseCache? cache)
    {
        if (cache is not null && Config.IsCached)
        {
            Cache = new ModelCache(cache, Config, Statistics);
            Statistics.IsCached = true;
        }
    }

    /// <summary>Serves what waits, lets in no more, ends the threads and frees what the backend loaded. May block as long as an execution.</summary>
    public void Dispose()
    {
        _instances?.Dispose();
        Cache?.Dispose();
    }

    private InferenceError? QueueRefusal() => Cache is null && _sequences is null ? _queue?.Refusal() : null;

    private InferenceError SlotRefusal(ConcurrencyLimit slots)
        => new(ErrorCode.ResourceExhausted, $"model '{Name}' already serves {slots.Limit} requests, its most (parameter max_concurrent_requests)");

    private InferenceError? CountRefused(InferenceError? error)
    {
        if (error is not null)
        {
            CountRefused();
        }

        return error;
    }

    private static ConcurrencyLimit? ConcurrencyOf(ModelConfig config)
        => config.Limits.MaxConcurrentRequests > 0 ? new ConcurrencyLimit(config.Limits.MaxConcurrentRequests) : null;

    private InferenceError? Check(InferenceRequest request, out int rows)
    {
        rows = 1;
        try
        {
            return (request.Probe is null ? Schema?.Check(request) : null) ?? RequestCheck.Check(request, Config, out rows) ?? _padding?.Refusal(request);
        }
        catch (InferenceException exception)
        {
            return exception.Error; // an input that has to be looked at could not be read from its device
        }
    }

    private static void CancelPending(object? state)
    {
        var (model, pending) = (Tuple<Model, PendingRequest>)state!;
        var queue = model._queue!;
        if (queue.TryRemove(pending) || (model._sequences is { } sequences && (sequences.TryRemove(pending) || queue.TryRemove(pending))))
        {
            // It may have gone from its sequence's backlog to the queue between the first two looks.
            pending.Cancel(model.Name);
        }
        else
        {
            pending.Run?.Cancel(pending);
        }
    }
}
