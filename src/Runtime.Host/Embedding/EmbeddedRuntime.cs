using Microsoft.Extensions.Hosting;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;

namespace Runtime.Host.Embedding;

/// <summary>The models and doors of a host that lives inside another program, whose listeners and log it uses.</summary>
internal sealed class EmbeddedRuntime : IHostedService, IAsyncDisposable
{
    private readonly RuntimeBuilder _builder;
    private readonly HostedModels _hosted;
    private readonly ServerState _state;
    private readonly Admission _admission;
    private readonly Canary? _canary;
    private readonly DoorFactory _factory;
    private bool _isStopped;

    public EmbeddedRuntime(RuntimeBuilder builder, ILoggerFactory loggers)
    {
        _builder = builder;
        _hosted = HostedModels.Create(builder.Options, loggers, builder.Functions);
        var models = _hosted.Repository;
        _state = new ServerState(builder.Options.StrictReadiness, () => models.IsReady);
        models.FailedForGood += (model, error) => _state.Break($"model '{model}': {error.Message}");
        _admission = new Admission(builder.Options, _state);
        _canary = Canary.Start(builder.Options, models, _state, loggers);
        _factory = new DoorFactory(builder.Options, _hosted, _admission, new LogSettings(builder.Options), loggers);
        Doors = _factory.Create();
    }

    public Doors Doors { get; }

    /// <summary>Loads the models.</summary>
    /// <exception cref="InvalidOperationException">Some cannot be loaded, and the settings say that the program should not start without.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var failed = await _hosted.Serve().StartAsync(cancellationToken);
        if (_builder.Options.ExitOnError && failed.Count > 0)
        {
            throw new InvalidOperationException(string.Join("; ", failed.Select(model => model.Reason)));
        }

        _state.Started();
    }

    /// <summary>Refuses new inferences, waits for those in flight and unloads the models.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;
        _state.BeginDraining();
        await _admission.IdleAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _hosted.Repository.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _canary?.Dispose();
        _factory.Dispose();
        _state.Dispose();
    }
}
