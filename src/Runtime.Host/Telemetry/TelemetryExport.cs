using Runtime.Host.Lifecycle;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Telemetry;

/// <summary>The export of traces, metrics and logs, where the environment asks for any; without that nothing of OpenTelemetry is loaded.</summary>
internal sealed class TelemetryExport : IAsyncDisposable
{
    private readonly OtlpExport? _export;
    private ModelMeters? _meters;
    private ExportFaults? _faults;

    private TelemetryExport(OtlpExport? export, IReadOnlyList<string> warnings) => (_export, Warnings) = (export, warnings);

    /// <summary>What of the environment has no effect.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Where log lines leave; null for nowhere.</summary>
    public ILoggerProvider? Logs => _export?.Logs;

    public static TelemetryExport Start(IReadOnlyDictionary<string, string> environment, HostOptions options)
    {
        var warnings = new List<string>();
        var settings = TelemetrySettings.Read(environment, options, warnings);
        return new TelemetryExport(settings.IsNeeded ? OtlpExport.Start(settings) : null, warnings);
    }

    /// <summary>Begins to measure these models, and to tell the log of exports that fail.</summary>
    public void Observe(ModelRepository models, Admission admission, ILoggerFactory loggers)
    {
        if (_export is not null)
        {
            _meters = new ModelMeters(models, admission);
            _faults = new ExportFaults(loggers.CreateLogger<TelemetryExport>(), TimeProvider.System);
        }
    }

    /// <summary>Sends what is left, but does not wait long for a collector that does not answer.</summary>
    public async ValueTask DisposeAsync()
    {
        _faults?.Dispose();
        if (_export is not null)
        {
            await _export.DisposeAsync();
        }

        _meters?.Dispose();
    }
}
