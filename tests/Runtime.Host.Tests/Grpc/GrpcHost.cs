using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Grpc;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Grpc;

/// <summary>
/// The gRPC door on a real Kestrel, over a repository of models without files: <c>echo</c> (INT32, batching), <c>text</c>
/// (BYTES), <c>half</c> (FP16), <c>repeat</c> (decoupled), <c>versatile</c> (answers once and streams) and <c>gate</c>, which executes until it is cancelled or opened.
/// </summary>
internal sealed class GrpcHost : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("grpc-host");
    private readonly GateBackend _gate = new();
    private readonly ModelRepository _models;
    private readonly SharedMemoryRegions _regions = new(allowed: true, static () => new CudaDevices("no driver"));
    private readonly InferenceServer _server;

    private GrpcHost(HostOptions options)
    {
        AddModel("echo", "identity", "TYPE_INT32", 8);
        AddModel("text", "identity", "TYPE_STRING", 0);
        AddModel("half", "identity", "TYPE_FP16", 0);
        AddModel("versatile", "versatile", "TYPE_INT32", 0);
        AddModel("gate", "gate", "TYPE_INT32", 8);
        Write("repeat", """
            name: "repeat" backend: "repeat" model_transaction_policy { decoupled: true }
            input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] }, { name: "DELAY" data_type: TYPE_UINT32 dims: [ -1 ] }, { name: "WAIT" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            output [ { name: "OUT" data_type: TYPE_INT32 dims: [ 1 ] }, { name: "IDX" data_type: TYPE_UINT32 dims: [ 1 ] } ]
            """);
        var repository = new RepositoryOptions { Directories = [_directory.FullName], Mode = ModelControlMode.Explicit, LoadAtStart = ["*"] };
        _models = new ModelRepository(repository, [new IdentityBackend(), new RepeatBackend(), new VersatileBackend(), _gate]);
        State = new ServerState(true, () => _models.IsReady);
        var inference = new InferenceService(_models, Admission = new Admission(options, State), options.Id, _regions, (new TraceSettings(), new LogSettings(options)));
        var grpc = new GrpcServer(
            [.. inference.Methods, .. new HealthService(State, TimeProvider.System).Methods, .. new ReflectionService(State.Draining).Methods],
            new GrpcSettings(options), TimeProvider.System, NullLogger.Instance);
        RequestDelegate closed = context => Task.CompletedTask;
        _server = new InferenceServer(options, () => new Doors(closed, grpc.HandleAsync, closed), NullLoggerFactory.Instance);
    }

    public ServerState State { get; }

    public Admission Admission { get; }

    public IPEndPoint Address => _server.GrpcAddress!;

    public GrpcClient Client { get; private set; } = null!;

    public static async Task<GrpcHost> StartAsync(Func<HostOptions, HostOptions>? configure = null)
    {
        var options = new HostOptions { AllowHttp = false, AllowMetrics = false, GrpcAddress = "127.0.0.1", GrpcPort = 0 };
        var host = new GrpcHost(configure?.Invoke(options) ?? options);
        Assert.Empty(await host._models.StartAsync(default));
        host._server.Listen();
        await host._server.StartAsync(default);
        host.State.Started();
        host.Client = new GrpcClient(new Uri($"http://{host._server.GrpcAddress}"));
        return host;
    }

    /// <summary>Waits until a request stands in the model <c>gate</c>.</summary>
    public Task EnteredAsync() => _gate.Entered.WaitAsync();

    /// <summary>Lets one request out of the model <c>gate</c>.</summary>
    public void Open() => _gate.Opened.Release();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!State.Draining.IsCancellationRequested)
        {
            State.BeginDraining();
        }

        Assert.True(await _server.StopAsync());
        _server.Dispose();
        await _models.DisposeAsync();
        _regions.Dispose();
        State.Dispose();
        _directory.Delete(recursive: true);
    }

    private void AddModel(string name, string backend, string type, int maxBatchSize) => Write(name, $$"""
        name: "{{name}}" backend: "{{backend}}" max_batch_size: {{maxBatchSize}}
        input [ { name: "X" data_type: {{type}} dims: [ -1 ] } ]
        output [ { name: "Y" data_type: {{type}} dims: [ -1 ] } ]
        """);

    private void Write(string name, string config)
    {
        var model = _directory.CreateSubdirectory(name);
        model.CreateSubdirectory("1");
        File.WriteAllText(Path.Combine(model.FullName, "config.pbtxt"), config);
    }

    private sealed class GateBackend : IBackend, ILoadedModel, IModelInstance
    {
        public SemaphoreSlim Entered { get; } = new(0);

        public SemaphoreSlim Opened { get; } = new(0);

        public string Name => "gate";

        public ModelSignature? Signature => null;

        public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

        public IDisposable CreateInstance(ModelConfig config, Device device) => this;

        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            Entered.Release();
            Opened.Wait(cancellation);
            var outputs = new TensorSet();
            outputs.Rent("Y", inputs[0].Type, inputs[0].Shape, inputs[0].Data.Length, out var memory);
            inputs[0].Data.CopyTo(memory);
            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
