using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Models;

namespace Runtime.Host.Tests.Lifecycle;

public sealed class ServerProcessTests : IDisposable
{
    private static readonly ModelIndexEntry Good = new("good", "1", "READY", "");
    private static readonly ModelIndexEntry Bad = new("bad", "1", "UNAVAILABLE", "config.pbtxt:3: nonsense");

    private readonly TaskCompletionSource _loading = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ServingLine _serving = new();
    private readonly ServerState _state = new(strictReadiness: true, () => true);
    private InferenceServer? _server;
    private Admission? _admission;
    private Task _unloading = Task.CompletedTask;
    private bool _isEndless;
    private int _unloads;

    public void Dispose()
    {
        _serving.Dispose();
        _server?.Dispose();
        _state.Dispose();
    }

    [Fact]
    public async Task Run_WhileModelsLoad_IsLiveAndNotReady()
    {
        var running = RunAsync(ServerUnderTest.FreePorts, Good);
        await _loading.Task;

        Assert.Equal("True False", await ServerUnderTest.GetAsync(_server!.HttpAddress!));
        _stop.SetResult();

        Assert.Equal(0, await running);
        Assert.Equal(1, _unloads);
    }

    /// <summary>No load balancer can have sent anything to a host that was never ready.</summary>
    [Fact]
    public async Task Run_StoppedBeforeItWasReady_WaitsForNoLoadBalancer()
    {
        var running = RunAsync(ServerUnderTest.FreePorts with { DrainDelaySecs = 3600 }, Good);
        await _loading.Task;
        _stop.SetResult();

        Assert.Equal(0, await running.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Run_StoppedWhileALoadGoesOn_EndsWithTheExitTimeout()
    {
        _isEndless = true;
        var running = RunAsync(ServerUnderTest.FreePorts with { ExitTimeoutSecs = 0 }, Good);
        await _loading.Task;
        _stop.SetResult();

        Assert.Equal(1, await running);
        Assert.Equal(0, _unloads);
        _loaded.SetResult();
    }

    /// <summary>As of a model whose execution cannot be stopped.</summary>
    [Fact]
    public async Task Run_RequestsOutlastTheExitTimeout_WaitsNoLongerForTheirModels()
    {
        _loaded.SetResult();
        _unloading = new TaskCompletionSource().Task;
        var options = ServerUnderTest.FreePorts with { ExitTimeoutSecs = 0 };
        var running = RunAsync(options, Good);
        await _serving.Said;
        Assert.Null(_admission!.TryEnter(1, out _));
        _stop.SetResult();

        Assert.Equal(1, await running.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(1, _unloads);
    }

    [Fact]
    public async Task Run_ModelsLoaded_IsReadyUntilToldToStop()
    {
        _loaded.SetResult();
        var process = RunAsync(ServerUnderTest.FreePorts, Good);
        await _serving.Said;

        Assert.Equal("True True", await ServerUnderTest.GetAsync(_server!.HttpAddress!));
        _stop.SetResult();

        Assert.Equal(0, await process);
        Assert.True(_state.Draining.IsCancellationRequested);
        Assert.False(_state.IsReady);
    }

    [Fact]
    public async Task Run_ModelFails_ExitsNamingIt()
    {
        _loaded.SetResult();

        var fault = await Assert.ThrowsAsync<StartException>(() => RunAsync(ServerUnderTest.FreePorts, Good, Bad));

        Assert.Equal("failed to load 'bad': config.pbtxt:3: nonsense (--exit-on-error=false serves the other models)", fault.Message);
        Assert.Equal(1, _unloads);
    }

    [Fact]
    public async Task Run_ModelFailsAndMayFail_Serves()
    {
        _loaded.SetResult();
        var running = RunAsync(ServerUnderTest.FreePorts with { ExitOnError = false }, Good, Bad);
        await _serving.Said;

        Assert.Equal("True True", await ServerUnderTest.GetAsync(_server!.HttpAddress!));
        _stop.SetResult();

        Assert.Equal(0, await running);
    }

    private Task<int> RunAsync(HostOptions options, params ModelIndexEntry[] index)
    {
        var doors = ServerUnderTest.Naming with { Http = context => ServerUnderTest.Says($"{_state.IsLive} {_state.IsReady}")(context) };
        _server = new InferenceServer(options, () => doors, NullLoggerFactory.Instance);
        var failed = index.Where(entry => entry.Reason.Length > 0).Select(entry => new ModelEvent(entry.Name, 1, entry.State, $"failed to load '{entry.Name}': {entry.Reason}")).ToArray();
        var models = new ServedModels(cancellation => LoadAsync(failed, cancellation), () => index, () =>
        {
            _unloads++;
            return new ValueTask(_unloading);
        });
        return new ServerProcess(options, _admission = new Admission(options, _state), _server, models, new LoggerFactory([_serving])).RunAsync(_stop.Task);
    }

    private async Task<IReadOnlyList<ModelEvent>> LoadAsync(ModelEvent[] failed, CancellationToken cancellation)
    {
        _loading.SetResult();
        await _loaded.Task.WaitAsync(_isEndless ? default : cancellation);
        return failed;
    }

    /// <summary>Waits for the line that says how many models are served.</summary>
    private sealed class ServingLine : ILoggerProvider, ILogger
    {
        private readonly TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Said => _said.Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).StartsWith("Serving ", StringComparison.Ordinal))
            {
                _said.TrySetResult();
            }
        }

        public void Dispose()
        {
        }
    }
}
