using System.Diagnostics;
using System.Globalization;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Models.Configuration;

namespace Runtime.Scheduling;

/// <summary>
/// Runs the batches of a model whose instances are asynchronous: as many at once as it allows, each on the thread pool, none
/// holding a thread while it waits. What may not run yet stays in the queue, with its timeouts and priorities.
/// </summary>
internal sealed class AsyncRunner : IDisposable
{
    /// <summary>How many executions may be in progress at once.</summary>
    public const string ConcurrencyParameter = "max_concurrent_executions";

    private const int DefaultConcurrency = 64;

    private readonly Lock _gate = new();
    private readonly ModelConfig _config;
    private readonly IReadOnlyList<IAsyncInstance> _instances;
    private readonly ModelStatistics _statistics;
    private readonly ITimer _timer;
    private readonly int _concurrency;
    private readonly ManualResetEventSlim _idle = new(initialState: true);
    private int _running;
    private int _next;
    private bool _isAbandoned;

    public AsyncRunner(ModelConfig config, IReadOnlyList<IAsyncInstance> instances, ModelStatistics statistics, TimeProvider time)
    {
        (_config, _instances, _statistics, _concurrency) = (config, instances, statistics, Concurrency(config));
        Queue = new RequestQueue(config, statistics, time) { Entered = Pump };
        _timer = time.CreateTimer(static runner => ((AsyncRunner)runner!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How long disposal waits for executions in progress.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where requests enter; entering starts what may run.</summary>
    public RequestQueue Queue { get; }

    /// <summary>How many executions of a model may be in progress at once.</summary>
    /// <exception cref="ModelConfigException">The parameter is no whole number of 1 or more.</exception>
    public static int Concurrency(ModelConfig config)
    {
        if (!config.Parameters.TryGetValue(ConcurrencyParameter, out var text))
        {
            return DefaultConcurrency;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ModelConfigException($"model '{config.Name}': parameter '{ConcurrencyParameter}' must be a whole number from 1 to {int.MaxValue}, got '{text}'");
    }

    /// <summary>Waits for executions in progress, but not for ever: the instances of one that hangs are disposed when it returns.</summary>
    public void Dispose()
    {
        Queue.Close();
        Pump();
        _idle.Wait(Grace);
        lock (_gate)
        {
            _isAbandoned = _running > 0;
        }

        if (!_isAbandoned)
        {
            DisposeInstances();
        }
    }

    /// <summary>Starts what may run now, and sees to it that what has to wait for company is looked at in time.</summary>
    private void Pump()
    {
        lock (_gate)
        {
            while (_running < _concurrency)
            {
                var batch = new List<PendingRequest>(1);
                if (!Queue.TryTakeNow(batch, out var due))
                {
                    Watch(due);
                    return;
                }

                if (_running++ == 0)
                {
                    _idle.Reset();
                }

                _next = (_next + 1) % _instances.Count;
                ThreadPool.UnsafeQueueUserWorkItem(new Execution(this, batch, _instances[_next]), preferLocal: false);
            }
        }
    }

    private void Watch(long due)
    {
        if (due != long.MaxValue)
        {
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            _timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private void Finish()
    {
        var isLast = false;
        lock (_gate)
        {
            if (--_running == 0)
            {
                _idle.Set();
                isLast = _isAbandoned;
            }
        }

        if (isLast)
        {
            DisposeInstances();
            return;
        }

        Pump();
    }

    private void DisposeInstances()
    {
        _timer.Dispose();
        foreach (var instance in _instances)
        {
            instance.Dispose();
        }
    }

    /// <summary>One batch on its way through an instance.</summary>
    private sealed class Execution(AsyncRunner runner, List<PendingRequest> batch, IAsyncInstance instance) : IThreadPoolWorkItem
    {
        private readonly BatchRun _run = new(runner._config.Name);
        private RequestTimes _times = new() { ComputeStart = Stopwatch.GetTimestamp() };

        public void Execute() => _ = RunAsync();

        private async Task RunAsync()
        {
            // A client that goes takes its inputs along, while the execution may still read them.
            var requests = batch.ConvertAll(static pending => new AsyncRequest(pending.Request, pending.Inputs.Share(), pending.Cancellation));
            try
            {
                var cancellation = _run.Begin(batch);
                cancellation.ThrowIfCancellationRequested();
                _times.InferStart = Stopwatch.GetTimestamp();
                var results = await instance.ExecuteAsync(requests, cancellation).ConfigureAwait(false);
                _times.InferEnd = _times.ComputeEnd = Stopwatch.GetTimestamp();
                Complete(results);
            }
            catch (Exception exception)
            {
                batch.ForEach(request => Fail(request, exception));
            }
            finally
            {
                requests.ForEach(static request => request.Inputs.Dispose());
                runner.Finish();
            }
        }

        private void Complete(AsyncResult[] results)
        {
            if (results.Length != batch.Count)
            {
                Array.ForEach(results, static result => result.Outputs?.Dispose());
                throw new InferenceException(ErrorCode.Internal, $"model '{runner._config.Name}' gave {results.Length} answers to a batch of {batch.Count} requests; it must give one each");
            }

            if (batch[0].Request.Probe is null && Array.Exists(results, static result => result.Error is null))
            {
                runner._statistics.RecordExecution(batch.Sum(static request => request.Rows), _times);
            }

            for (var i = 0; i < results.Length; i++)
            {
                Answer(batch[i], results[i]);
            }
        }

        private void Answer(PendingRequest request, AsyncResult result)
        {
            if (!_run.TryClaim(request))
            {
                result.Outputs?.Dispose();
                return;
            }

            request.Times = _times with { Arrival = request.Times.Arrival, Queued = request.Times.Queued };
            if (result.Error is not null)
            {
                request.Fail(result.Error, FailureReason.Backend);
                return;
            }

            try
            {
                Batch.Check(result.Outputs!, request.Rows, runner._config);
            }
            catch (InferenceException exception)
            {
                result.Outputs!.Dispose();
                request.Fail(exception.Error, FailureReason.Backend);
                return;
            }

            request.Complete(result.Outputs!);
        }

        private void Fail(PendingRequest request, Exception exception)
        {
            if (!_run.TryClaim(request))
            {
                return;
            }

            if (exception is OperationCanceledException && request.Cancellation.IsCancellationRequested)
            {
                request.Cancel(runner._config.Name);
                return;
            }

            var error = (exception as InferenceException)?.Error
                ?? InferenceError.Internal($"{request.Request.Prefix}execution of model '{runner._config.Name}' failed: {exception.Message}");
            request.Fail(error, FailureReason.Backend);
        }
    }
}
