using System.Runtime.CompilerServices;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.Telemetry;

/// <summary>
/// OpenTelemetry's providers with their exporters; the only type that names any of them. Requests hand spans and lines to bounded queues,
/// which drop what they have no room for, and threads of the SDK's send them.
/// </summary>
internal sealed class OtlpExport : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(3);

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;
    private readonly ServiceProvider? _logs;

    private OtlpExport(TelemetrySettings settings)
    {
        _traces = settings.Traces is { } traces ? Traces(settings, traces) : null;
        _metrics = settings.Metrics is { } metrics ? Metrics(settings, metrics) : null;
        _logs = settings.Logs is { } logs ? LogServices(settings, logs) : null;
        Logs = _logs?.GetServices<ILoggerProvider>().First();
    }

    public ILoggerProvider? Logs { get; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static OtlpExport Start(TelemetrySettings settings) => new(settings);

    public async ValueTask DisposeAsync()
    {
        // Each waits for its last export, so they end side by side, and what hangs is left behind.
        var limit = (int)ShutdownLimit.TotalMilliseconds;
        var ends = Task.WhenAll(
            Task.Run(() => _traces?.Shutdown(limit)),
            Task.Run(() => _metrics?.Shutdown(limit)),
            Task.Run(() => _logs?.GetService<LoggerProvider>()?.Shutdown(limit)));
        if (await Task.WhenAny(ends, Task.Delay(ShutdownLimit)) == ends)
        {
            _traces?.Dispose();
            _metrics?.Dispose();
            await (_logs?.DisposeAsync() ?? default);
        }
    }

    private static TracerProvider Traces(TelemetrySettings settings, OtlpTarget target)
    {
        var builder = Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => Describe(resource, settings)).AddSource(ModelTracing.SourceName);
        if (settings.SampleRatio is { } ratio)
        {
            builder.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(ratio)));
        }

        return builder.AddOtlpExporter(exporter => Configure(exporter, target)).Build();
    }

    private static MeterProvider Metrics(TelemetrySettings settings, OtlpTarget target) =>
        Sdk.CreateMeterProviderBuilder().ConfigureResource(resource => Describe(resource, settings))
            .AddMeter(ModelMeters.MeterName, "System.Runtime")
            .AddOtlpExporter(exporter => Configure(exporter, target))
            .Build();

    private static ServiceProvider LogServices(TelemetrySettings settings, OtlpTarget target)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddOpenTelemetry(options =>
        {
            options.IncludeFormattedMessage = true;
            options.SetResourceBuilder(Describe(ResourceBuilder.CreateDefault(), settings));
            options.AddOtlpExporter(exporter => Configure(exporter, target));
        }));
        return services.BuildServiceProvider();
    }

    private static ResourceBuilder Describe(ResourceBuilder resource, TelemetrySettings settings)
        => resource.AddService(settings.ServiceName, serviceVersion: MetadataEndpoints.Version).AddAttributes(settings.Attributes);

    private static void Configure(OtlpExporterOptions exporter, OtlpTarget target)
    {
        exporter.Endpoint = target.Endpoint;
        exporter.Protocol = target.IsHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.TimeoutMilliseconds = target.TimeoutMilliseconds;
        if (target.Headers.Length > 0)
        {
            exporter.Headers = target.Headers;
        }
    }
}
