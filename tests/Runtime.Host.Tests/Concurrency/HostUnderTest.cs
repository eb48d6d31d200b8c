using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Models;

namespace Runtime.Host.Tests.Concurrency;

/// <summary>The whole server in this process, over both protocols, with one model whose backend is gated.</summary>
internal sealed class HostUnderTest : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("concurrency");
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ModelRepository _models;
    private readonly ServerState _state;
    private readonly DoorFactory _doors;
    private readonly InferenceServer _server;

    private HostUnderTest(string queuePolicy)
    {
        var options = ServerUnderTest.FreePorts;
        _directory.CreateSubdirectory("gated/1");
        File.WriteAllText(Path.Combine(_directory.FullName, "gated", "config.pbtxt"), $$"""
            name: "gated" backend: "gated" max_batch_size: 1
            input { name: "X" data_type: TYPE_INT32 dims: [ -1 ] } output { name: "Y" data_type: TYPE_INT32 dims: [ -1 ] }
            dynamic_batching { priority_levels: 2 default_priority_level: 2 default_queue_policy { allow_timeout_override: true {{queuePolicy}} } }
            """);
        _models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName] }, [Backend]);
        _state = new ServerState(true, () => _models.IsReady);
        var admission = new Admission(options, _state);
        _doors = new DoorFactory(options, new HostedModels(_models, new ModelRoutes()), admission, new LogSettings(options), NullLoggerFactory.Instance);
        _server = new InferenceServer(options, _doors.Create, NullLoggerFactory.Instance);
        var loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var served = new ServedModels(LoadAsync, () => _models.Index(readyOnly: false), _models.DisposeAsync);
        ExitCode = new ServerProcess(options, admission, _server, served, NullLoggerFactory.Instance).RunAsync(_stop.Task);
        Loaded = loaded.Task;

        async Task<IReadOnlyList<ModelEvent>> LoadAsync(CancellationToken cancellation)
        {
            var failed = await _models.StartAsync(cancellation);
            loaded.SetResult();
            return failed;
        }
    }

    public GatedBackend Backend { get; } = new();

    /// <summary>Ends when the server has; it must be 0.</summary>
    public Task<int> ExitCode { get; }

    public System.Net.IPEndPoint HttpAddress => _server.HttpAddress!;

    private Task Loaded { get; }

    /// <summary>Starts the server.</summary>
    /// <param name="queuePolicy">Fields of the model's queue policy.</param>
    public static async Task<HostUnderTest> StartAsync(string queuePolicy = "")
    {
        var host = new HostUnderTest(queuePolicy);
        await Task.WhenAny(host.Loaded, host.ExitCode);
        return host;
    }

    public InferClient Connect(Protocols protocol) => protocol == Protocols.Http ? new HttpInferClient(_server.HttpAddress!) : new GrpcInferClient(_server.GrpcAddress!);

    /// <summary>Does what SIGTERM does.</summary>
    public void Stop() => _stop.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Stop();
        Assert.Equal(0, await ExitCode);
        _server.Dispose();
        _doors.Dispose();
        _state.Dispose();
        _directory.Delete(recursive: true);
    }
}
