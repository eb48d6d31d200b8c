namespace Runtime.Host.Lifecycle;

/// <summary>What health endpoints answer, over every protocol.</summary>
/// <param name="strictReadiness">Whether readiness also asks for every model to be loaded.</param>
/// <param name="areModelsReady">Whether every model that should be loaded is.</param>
public sealed class ServerState(bool strictReadiness, Func<bool> areModelsReady) : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly TaskCompletionSource<string> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _started;
    private volatile bool _ending;
    private volatile bool _hasHungModel;

    /// <summary>Whether the process answers, and can go on doing so.</summary>
    public bool IsLive => !_broken.Task.IsCompleted;

    /// <summary>Whether it should get requests: started, not ending, not broken, no model hung and, with strict readiness, every model loaded.</summary>
    public bool IsReady => _started && !_ending && IsLive && !_hasHungModel && (!strictReadiness || areModelsReady());

    /// <summary>Whether the models of the start were loaded, or have failed to; it was not ready before.</summary>
    public bool HasStarted => _started;

    /// <summary>Whether a model has been executing for too long; not live for that, since it may come back, and other models serve.</summary>
    public bool HasHungModel
    {
        get => _hasHungModel;
        set => _hasHungModel = value;
    }

    /// <summary>Ends with the reason when something broke that only a new process can mend.</summary>
    public Task<string> Broken => _broken.Task;

    /// <summary>Cancelled when draining begins: inference requests are refused, and idle streams such as health watches end.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Says that the models of the start were loaded, or have failed to.</summary>
    public void Started() => _started = true;

    /// <summary>Ends readiness for good; requests are still served.</summary>
    public void EndReadiness() => _ending = true;

    /// <summary>Ends readiness and liveness for good; the first reason counts.</summary>
    public void Break(string reason) => _broken.TrySetResult(reason);

    /// <summary>Ends readiness for good, and lets no more inference requests in.</summary>
    public void BeginDraining()
    {
        EndReadiness();
        _draining.Cancel();
    }

    public void Dispose() => _draining.Dispose();
}
