using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.Tests.Grpc;
using Runtime.Models;
using Runtime.Protocol;
using Runtime.Protocol.Health;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>The whole server in this process, from its first listener to its exit code, with models of the test's own backends.</summary>
internal sealed class RunningHost : IAsyncDisposable
{
    private const string Health = "/grpc.health.v1.Health/Check";

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("running-host");
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DoorFactory _doors;
    private readonly InferenceServer _server;

    private RunningHost(IReadOnlyList<IBackend> backends, IReadOnlyList<(string Name, string Config)> models, HostOptions options, Func<CudaDevices>? cuda)
    {
        var loggers = NullLoggerFactory.Instance;
        foreach (var (name, config) in models)
        {
            Write(name, config);
        }

        Models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName], Mode = ModelControlMode.Explicit, LoadAtStart = ["*"] }, backends);
        State = new ServerState(true, () => Models.IsReady);
        Models.FailedForGood += (model, error) => State.Break($"model '{model}': {error.Message}");
        var admission = new Admission(options, State);
        _doors = new DoorFactory(options, new HostedModels(Models, new ModelRoutes()), admission, new LogSettings(options), loggers) { Cuda = cuda ?? (static () => CudaDevices.Here) };
        _server = new InferenceServer(options, _doors.Create, loggers);
        ExitCode = new ServerProcess(options, admission, _server, new ServedModels(Models.StartAsync, Index, Models.DisposeAsync), loggers).RunAsync(_stop.Task);
    }

    /// <summary>The repository's.</summary>
    public string Directory => _directory.FullName;

    public ModelRepository Models { get; }

    public ServerState State { get; }

    public HttpClient Http { get; private set; } = null!;

    public GrpcClient Grpc { get; private set; } = null!;

    /// <summary>Ends when the server has.</summary>
    public Task<int> ExitCode { get; }

    public static async Task<RunningHost> StartAsync(
        IReadOnlyList<IBackend> backends, IReadOnlyList<(string Name, string Config)> models, HostOptions? options = null, Func<CudaDevices>? cuda = null)
    {
        var host = new RunningHost(backends, models, options ?? ServerUnderTest.FreePorts, cuda);
        await Task.WhenAny(host._loaded.Task, host.ExitCode);
        host.Http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{host._server.HttpAddress}"), Timeout = Timeout.InfiniteTimeSpan };
        host.Grpc = new GrpcClient(new Uri($"http://{host._server.GrpcAddress}"));
        return host;
    }

    /// <summary>A model with INT32 X and Y, unless the configuration has inputs of its own.</summary>
    public void Write(string name, string config)
    {
        var tensors = config.Contains("input ", StringComparison.Ordinal) ? "" : "input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 } ";
        var model = _directory.CreateSubdirectory(name);
        model.CreateSubdirectory("1");
        File.WriteAllText(Path.Combine(model.FullName, "config.pbtxt"), tensors + config);
    }

    /// <summary>What is said of readiness over HTTP, by the inference service and by gRPC's health service.</summary>
    public async Task<(bool Http, bool Grpc, bool Health)> ReadyAsync()
    {
        using var http = await Http.GetAsync(new Uri("/v2/health/ready", UriKind.Relative));
        Assert.True(http.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest);
        var ready = (await Grpc.CallAsync(GrpcClient.Inference + "ServerReady", new ServerReadyRequest())).Read(ServerReadyResponse.Parser).Ready;
        var health = (await Grpc.CallAsync(Health, new HealthCheckRequest())).Read(HealthCheckResponse.Parser).Status;
        return (http.IsSuccessStatusCode, ready, health == HealthCheckResponse.Types.ServingStatus.Serving);
    }

    /// <summary>Does what SIGTERM does.</summary>
    public void Stop() => _stop.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Stop();
        await ExitCode;
        Http.Dispose();
        Grpc.Dispose();
        _server.Dispose();
        _doors.Dispose();
        State.Dispose();
        _directory.Delete(recursive: true);
    }

    private IReadOnlyList<ModelIndexEntry> Index()
    {
        _loaded.TrySetResult();
        return Models.Index(readyOnly: false);
    }
}
