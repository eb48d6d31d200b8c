using Runtime.Host.Options;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Tests.Telemetry;

public sealed class TelemetrySettingsTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void Read_NothingSet_ExportsNothing() => Assert.False(Read(("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")).IsNeeded);

    [Fact]
    public void Read_GeneralEndpoint_IsABaseOverHttp()
    {
        var settings = Read(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/x/"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"));

        Assert.Equal(["http://c:4318/x/v1/traces", "http://c:4318/x/v1/metrics", "http://c:4318/x/v1/logs"], new[] { settings.Traces, settings.Metrics, settings.Logs }.Select(target => target!.Endpoint.ToString()));
    }

    [Fact]
    public void Read_SignalsEndpoint_IsTakenAsItIsForThatSignal()
    {
        var settings = Read(("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c:14358/v1/logs"), ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "a=b"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"));

        Assert.Equal(new OtlpTarget(new Uri("http://c:14358/v1/logs"), true, "a=b", 500), settings.Logs);
        Assert.Null(settings.Traces);
        Assert.Null(settings.Metrics);
    }

    [Fact]
    public void Read_SignalsProtocol_WinsOverTheGeneral()
    {
        var settings = Read(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"));

        Assert.Equal((false, "http://c:4317/"), (settings.Traces!.IsHttp, settings.Traces.Endpoint.ToString()));
        Assert.True(settings.Logs!.IsHttp);
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true")]
    [InlineData("OTEL_TRACES_EXPORTER", "none")]
    public void Read_SwitchedOff_ExportsNothing(string name, string value)
        => Assert.False(Read(("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4317"), (name, value)).IsNeeded);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317", "'collector:4317' is no http or https address")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "'http/json' is not known")]
    public void Read_Unusable_IsToldAndLeftOut(string name, string value, string warning)
    {
        var settings = Read((name, value), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4317"));

        Assert.False(settings.IsNeeded);
        Assert.Contains(warning, Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OTEL_SERVICE_NAME", "shop", "shop")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=till", "till")]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES", "a=b", "runtime")]
    public void Read_Service_HasAName(string name, string value, string expected) => Assert.Equal(expected, Read((name, value)).ServiceName);

    [Theory]
    [InlineData("0.25", 0.25)]
    [InlineData("", null)]
    public void Read_Ratio_IsTheOptions(string text, double? expected) => Assert.Equal(expected, TelemetrySettings.Read(new Dictionary<string, string>(), new HostOptions { TraceSampleRatio = text }, _warnings).SampleRatio);

    private TelemetrySettings Read(params (string Name, string Value)[] environment)
        => TelemetrySettings.Read(environment.DistinctBy(pair => pair.Name).ToDictionary(pair => pair.Name, pair => pair.Value), new HostOptions(), _warnings);
}
