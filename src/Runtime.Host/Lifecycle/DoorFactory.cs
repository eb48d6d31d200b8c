using Runtime.Devices;
using Runtime.Host.Grpc;
using Runtime.Host.Http;
using Runtime.Host.Metrics;
using Runtime.Host.Nvcf;
using Runtime.Host.OpenApi;
using Runtime.Host.Options;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using Runtime.Host.Telemetry;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>Puts together what answers at each port, by hand: there is no container to look things up in.</summary>
internal sealed class DoorFactory(HostOptions options, HostedModels hosted, Admission admission, LogSettings log, ILoggerFactory loggers) : IDisposable
{
    private readonly ModelRepository _models = hosted.Repository;
    private SharedMemoryRegions? _regions;
    private readonly TraceSettings _trace = new();
    private readonly NvcfConventions _nvcf = new(options, TimeProvider.System, loggers.CreateLogger<NvcfConventions>());

    private readonly RequestObserver _observer = new(options.LogRequests ? loggers.CreateLogger(RequestObserver.Category) : null);

    /// <summary>The GPUs, asked for when one is needed.</summary>
    public Func<CudaDevices> Cuda { get; init; } = static () => CudaDevices.Here;

    public Doors Create()
    {
        _regions = new SharedMemoryRegions(options.AllowClientShm, Cuda);
        return new(
            options.AllowHttp ? Http(_regions).HandleAsync : null,
            options.AllowGrpc ? Grpc(_regions).HandleAsync : null,
            options.AllowMetrics ? new PrometheusEndpoint(_models, admission, MetricsFlags.Read(options), Gpus()).HandleAsync : null);
    }

    public void Dispose() => _regions?.Dispose();

    private GpuMetrics? Gpus() => options.AllowGpuMetrics
        ? new GpuMetrics(TimeSpan.FromMilliseconds(options.MetricsIntervalMs), TimeProvider.System) { Visible = () => Cuda() is { HasDriver: true } cuda ? [.. cuda.All.Select(gpu => gpu.Uuid)] : null }
        : null;

    private HttpRouter Http(SharedMemoryRegions regions)
    {
        var endpoints = new HttpEndpoints(
            new HealthEndpoints(admission.State, _models),
            new MetadataEndpoints(options, _models),
            new ConfigEndpoint(_models),
            new StatisticsEndpoints(_models),
            new RepositoryEndpoints(options, _models),
            new LoggingEndpoint(options, log),
            new TraceEndpoint(options, _trace, _models),
            new SharedMemoryEndpoints(options, regions),
            new InferEndpoint(_models, options, regions, admission, _nvcf),
            new GenerateEndpoint(_models, options, admission, _nvcf),
            new OpenApiEndpoint(_models, hosted.Routes));
        return new HttpRouter(endpoints, hosted.Routes, RestrictedApi.Parse(options.HttpRestrictedApi), _observer);
    }

    private GrpcServer Grpc(SharedMemoryRegions regions)
    {
        var inference = new InferenceService(_models, admission, options.Id, regions, (_trace, log));
        var health = new HealthService(admission.State, TimeProvider.System);
        var settings = new GrpcSettings(options, _nvcf) { Observer = _observer };
        return new GrpcServer([.. inference.Methods, .. health.Methods, .. new ReflectionService(admission.State.Draining).Methods], settings, TimeProvider.System, loggers.CreateLogger<GrpcServer>());
    }
}
