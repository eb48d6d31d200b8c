using System.Globalization;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Telemetry;

/// <summary>Where one signal goes.</summary>
/// <param name="Endpoint">For HTTP with the signal's path.</param>
/// <param name="IsHttp">Whether protobuf goes in HTTP requests of its own rather than in gRPC.</param>
/// <param name="Headers">What goes along, as <c>a=b,c=d</c>; empty for nothing.</param>
/// <param name="TimeoutMilliseconds">How long one export may take.</param>
internal sealed record OtlpTarget(Uri Endpoint, bool IsHttp, string Headers, int TimeoutMilliseconds);

/// <summary>What OpenTelemetry's environment variables ask for; whatever else they say (samplers, batches, intervals, limits) the SDK reads itself.</summary>
internal sealed record TelemetrySettings
{
    private const int DefaultTimeoutMilliseconds = 10_000;

    public OtlpTarget? Traces { get; init; }

    public OtlpTarget? Metrics { get; init; }

    public OtlpTarget? Logs { get; init; }

    public bool IsNeeded => Traces is not null || Metrics is not null || Logs is not null;

    public string ServiceName { get; init; } = "";

    /// <summary>Null leaves the sampler to OTEL_TRACES_SAMPLER.</summary>
    public double? SampleRatio { get; init; }

    /// <summary>What the platform says of the function, for the resource.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Attributes { get; init; } = [];

    /// <summary>Reads the variables; what cannot be used is told and left out, for a server without telemetry is better than none.</summary>
    public static TelemetrySettings Read(IReadOnlyDictionary<string, string> environment, HostOptions options, List<string> warnings)
    {
        if (Get(environment, "OTEL_SDK_DISABLED").Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            return new TelemetrySettings();
        }

        return new TelemetrySettings
        {
            Traces = Target(environment, "TRACES", warnings),
            Metrics = Target(environment, "METRICS", warnings),
            Logs = Target(environment, "LOGS", warnings),
            ServiceName = ServiceNameOf(environment, options),
            SampleRatio = TryReadRatio(options.TraceSampleRatio, out var ratio) ? ratio : null,
            Attributes =
            [
                .. from pair in new[] { ("NVCF_FUNCTION_ID", "nvcf.function.id"), ("NVCF_FUNCTION_VERSION_ID", "nvcf.function.version_id"), ("NVCF_FUNCTION_NAME", "nvcf.function.name") }
                   where Get(environment, pair.Item1).Length > 0
                   select new KeyValuePair<string, object>(pair.Item2, Get(environment, pair.Item1)),
            ],
        };
    }

    /// <summary>A share from 0 to 1.</summary>
    public static bool TryReadRatio(string text, out double ratio)
        => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out ratio) && ratio is >= 0 and <= 1;

    private static OtlpTarget? Target(IReadOnlyDictionary<string, string> environment, string signal, List<string> warnings)
    {
        var own = Get(environment, $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
        var endpoint = own.Length > 0 ? own : Get(environment, "OTEL_EXPORTER_OTLP_ENDPOINT");
        if (endpoint.Length == 0 || Get(environment, $"OTEL_{signal}_EXPORTER") == "none")
        {
            return null;
        }

        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            warnings.Add($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT: '{endpoint}' is no http or https address; no {signal.ToLowerInvariant()} are exported");
            return null;
        }

        var protocol = Either(environment, signal, "PROTOCOL");
        if (protocol is not ("" or "grpc" or "http/protobuf"))
        {
            warnings.Add($"OTEL_EXPORTER_OTLP_PROTOCOL: '{protocol}' is not known, expected grpc or http/protobuf; no {signal.ToLowerInvariant()} are exported");
            return null;
        }

        // The general endpoint is a base that the signal's path is added to; a signal's own is taken as it is.
        var isHttp = protocol == "http/protobuf";
        uri = isHttp && own.Length == 0 ? new Uri($"{endpoint.TrimEnd('/')}/v1/{signal.ToLowerInvariant()}") : uri;
        var timeout = int.TryParse(Either(environment, signal, "TIMEOUT"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given > 0 ? given : DefaultTimeoutMilliseconds;
        return new OtlpTarget(uri, isHttp, Either(environment, signal, "HEADERS"), timeout);
    }

    private static string ServiceNameOf(IReadOnlyDictionary<string, string> environment, HostOptions options)
    {
        if (Get(environment, "OTEL_SERVICE_NAME") is { Length: > 0 } name)
        {
            return name;
        }

        var attributes = Get(environment, "OTEL_RESOURCE_ATTRIBUTES").Split(',', StringSplitOptions.TrimEntries);
        const string key = "service.name=";
        return Array.Find(attributes, attribute => attribute.StartsWith(key, StringComparison.Ordinal))?[key.Length..] ?? options.Id;
    }

    private static string Either(IReadOnlyDictionary<string, string> environment, string signal, string setting)
        => Get(environment, $"OTEL_EXPORTER_OTLP_{signal}_{setting}") is { Length: > 0 } own ? own : Get(environment, $"OTEL_EXPORTER_OTLP_{setting}");

    private static string Get(IReadOnlyDictionary<string, string> environment, string name) => environment.GetValueOrDefault(name, "").Trim();
}
