using System.Globalization;
using Runtime.Inference;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>Asks every model at an interval whether it still executes, and ends the host's readiness while one does not. Thread-safe.</summary>
internal sealed class Canary : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Model, Watch> _watches = [];
    private readonly ModelRepository _models;
    private readonly ServerState _state;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _stop;
    private readonly ITimer _timer;

    public Canary(HostOptions options, ModelRepository models, ServerState state, ILogger logger, TimeProvider time)
    {
        (_models, _state, _logger, _time) = (models, state, logger, time);
        _interval = TimeSpan.FromSeconds(options.CanaryIntervalSecs);
        _timeout = TimeSpan.FromSeconds(options.CanaryTimeoutSecs);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(state.Draining);
        _timer = time.CreateTimer(_ => AskAll(), null, _interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins to ask; null where the settings want none of it.</summary>
    public static Canary? Start(HostOptions options, ModelRepository models, ServerState state, ILoggerFactory loggers)
        => options.CanaryIntervalSecs == 0 ? null : new Canary(options, models, state, loggers.CreateLogger<Canary>(), TimeProvider.System);

    /// <summary>Asks no more, and takes back what still waits in a queue.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _stop.Cancel();
    }

    private void AskAll()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        _models.TryList("", "", out var serving);
        lock (_gate)
        {
            // What became of a version that serves no more is nobody's concern, though it may hold its thread for ever.
            foreach (var gone in _watches.Keys.Except(serving).ToArray())
            {
                _watches.Remove(gone);
            }

            Update();
        }

        foreach (var model in serving.Where(ModelProbe.IsPossible))
        {
            Ask(model);
        }

        _timer.Change(_interval, Timeout.InfiniteTimeSpan);
    }

    private void Ask(Model model)
    {
        if (_models.TryAcquire(model.Name, model.Version.ToString(CultureInfo.InvariantCulture), out var lease) is not null)
        {
            return;
        }

        Watch watch;
        ModelProbe probe;
        lock (_gate)
        {
            watch = _watches.TryGetValue(lease.Model, out var known) ? known : _watches[lease.Model] = new Watch(lease.Model);
            if (watch.Probe is not null)
            {
                lease.Dispose();
                return;
            }

            watch.Begin(probe = ModelProbe.Begin(lease.Model, _stop.Token), _time);
            watch.Timer = _time.CreateTimer(_ => Check(watch), null, _timeout, Timeout.InfiniteTimeSpan);
        }

        _ = AwaitAsync(watch, probe, lease);
    }

    private async Task AwaitAsync(Watch watch, ModelProbe probe, ModelLease lease)
    {
        InferenceError? error;
        using (lease)
        {
            error = await probe.Answer;
        }

        bool isBack;
        lock (_gate)
        {
            isBack = watch.End();
            Update();
        }

        Tell(watch, error, isBack);
    }

    /// <summary>After a timeout without an answer: the model hangs, unless it is only that others are served first.</summary>
    private void Check(Watch watch)
    {
        lock (_gate)
        {
            if (watch.Probe is null || watch.IsHung || !Serves(watch.Model))
            {
                return;
            }

            if (watch.HasMoved())
            {
                watch.Timer?.Change(_timeout, Timeout.InfiniteTimeSpan);
                return;
            }

            watch.IsHung = true;
            Update();
        }

        _logger.LogError(
            "Model '{Model}' version {Version} has not executed the canary of {Since:O}: not ready until it does", watch.Model.Name, watch.Model.Version, watch.Since);
    }

    private bool Serves(Model model)
    {
        _models.TryList(model.Name, model.Version.ToString(CultureInfo.InvariantCulture), out var serving);
        return serving.Contains(model);
    }

    private void Tell(Watch watch, InferenceError? error, bool isBack)
    {
        var (model, version, seconds) = (watch.Model.Name, watch.Model.Version, (_time.GetUtcNow() - watch.Since).TotalSeconds);
        if (isBack)
        {
            _logger.LogWarning("Model '{Model}' version {Version} executes again, after {Seconds:F3} seconds", model, version, seconds);
        }

        if (error is null)
        {
            _logger.LogDebug("Model '{Model}' version {Version} answered its canary in {Seconds:F3} seconds", model, version, seconds);
        }
        else if (error is not { Code: ErrorCode.Cancelled } and not { IsPermanent: true } && watch.IsFirstError())
        {
            _logger.LogWarning("Model '{Model}' version {Version} executes, but fails its canary: {Error} (said once)", model, version, error.Message);
        }
    }

    private void Update() => _state.HasHungModel = _watches.Values.Any(watch => watch.IsHung);

    /// <summary>What is known of one model; guarded by the canary's lock.</summary>
    private sealed class Watch(Model model)
    {
        private long _executions;
        private bool _wasTaken;
        private int _errors;

        public Model Model => model;

        /// <summary>What it has not answered yet; null while nothing is asked.</summary>
        public ModelProbe? Probe { get; private set; }

        public DateTimeOffset Since { get; private set; }

        public ITimer? Timer { get; set; }

        public bool IsHung { get; set; }

        public void Begin(ModelProbe probe, TimeProvider time)
        {
            (Probe, Since, _wasTaken) = (probe, time.GetUtcNow(), false);
            _executions = model.Statistics.Snapshot().ExecutionCount;
        }

        /// <summary>Whether the model was executing others since the last look, and was not all that time at the probe.</summary>
        public bool HasMoved()
        {
            var executions = model.Statistics.Snapshot().ExecutionCount;
            var hasMoved = executions != _executions && !_wasTaken;
            (_executions, _wasTaken) = (executions, Probe!.IsTaken);
            return hasMoved;
        }

        /// <summary>Whether it had been hung.</summary>
        public bool End()
        {
            var wasHung = IsHung;
            Timer?.Dispose();
            (Probe, Timer, IsHung) = (null, null, false);
            return wasHung;
        }

        public bool IsFirstError() => Interlocked.Increment(ref _errors) == 1;
    }
}
