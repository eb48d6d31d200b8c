namespace Runtime.Host.Lifecycle;

/// <summary>What health endpoints answer, over every protocol.</summary>
/// <param name="strictReadiness">Whether readiness also asks for every model to be loaded.</param>
/// <param name="areModelsReady">Whether every model that should be loaded is.</param>
public sealed class ServerState(bool strictReadiness, Func<bool> areModelsReady) : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private volatile bool _started;

    /// <summary>Whether the process answers at all.</summary>
    public bool IsLive => true;

    /// <summary>Whether it should get requests: started, not draining and, with strict readiness, every model loaded.</summary>
    public bool IsReady => _started && !_draining.IsCancellationRequested && (!strictReadiness || areModelsReady());

    /// <summary>Cancelled when draining begins, so that endless streams such as health watches end.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Says that the models of the start were loaded, or have failed to.</summary>
    public void Started() => _started = true;

    /// <summary>Ends readiness for good.</summary>
    public void BeginDraining() => _draining.Cancel();

    public void Dispose() => _draining.Dispose();
}
