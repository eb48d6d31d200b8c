using FluentValidation;
using Runtime.Host.Http;
using Runtime.Host.Nvcf;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Options;

/// <summary>What settings must hold, alone and together.</summary>
internal sealed class HostOptionsRules : AbstractValidator<HostOptions>
{
    public HostOptionsRules()
    {
        ClassLevelCascadeMode = CascadeMode.Continue;
        ModelRules();
        ListenerRules();
        LogRules();
        LimitRules();
        Include(new FunctionRules());
        RuleFor(o => o.ExitTimeoutSecs).GreaterThanOrEqualTo(0).WithMessage("--exit-timeout-secs: expected 0 or more, got {PropertyValue}");
    }

    private void ModelRules()
    {
        RuleFor(o => o.ModelControlMode).Must(mode => mode is "none" or "explicit" or "poll").WithMessage("--model-control-mode: expected none, explicit or poll, got '{PropertyValue}'");
        RuleFor(o => o.SchemaDirectory).Must(directory => directory.Length == 0 || Directory.Exists(directory)).WithMessage("--schema-directory: there is no directory '{PropertyValue}'");
        RuleFor(o => o.LoadModel).Empty().When(o => o.ModelControlMode != "explicit").WithMessage(o => $"--load-model needs --model-control-mode=explicit, the mode is '{o.ModelControlMode}'");
        RuleFor(o => o.LoadModel).Must(models => models.Count == 1).When(o => o.LoadModel.Contains("*")).WithMessage("--load-model=* loads every model and stands alone");
        RuleFor(o => o.OnnxIntraOpThreads).InclusiveBetween(0, 1024).WithMessage("--onnx-intra-op-threads: expected 0 to 1024, got {PropertyValue}");
        RuleFor(o => o.OnnxInterOpThreads).InclusiveBetween(0, 1024).WithMessage("--onnx-inter-op-threads: expected 0 to 1024, got {PropertyValue}");
        RuleFor(o => o.OnnxCudaLibrary).Must(file => file.Length == 0 || File.Exists(file)).WithMessage("--onnx-cuda-library: there is no file '{PropertyValue}'");
        RuleFor(o => o.OnnxGpuMemLimit).GreaterThanOrEqualTo(0).WithMessage("--onnx-gpu-mem-limit: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.OnnxCudnnConvAlgoSearch).Must(search => search is "EXHAUSTIVE" or "HEURISTIC" or "DEFAULT").WithMessage("--onnx-cudnn-conv-algo-search: expected EXHAUSTIVE, HEURISTIC or DEFAULT, got '{PropertyValue}'");
        RuleFor(o => o.RepositoryPollSecs).GreaterThan(0).When(o => o.ModelControlMode == "poll").WithMessage("--repository-poll-secs: expected 1 or more, got {PropertyValue}");
        RuleFor(o => o).Custom((o, context) =>
        {
            if (CacheFlags.TryRead(o, out _) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.MetricsConfig).Custom((entries, context) =>
        {
            if (MetricsFlags.TryRead(entries, out _) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.MetricsIntervalMs).GreaterThanOrEqualTo(0).WithMessage("--metrics-interval-ms: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.Id).NotEmpty().WithMessage("--id must not be empty");
    }

    private void ListenerRules()
    {
        RuleFor(o => o.HttpPort).InclusiveBetween(0, 65535).WithMessage("--http-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o.GrpcPort).InclusiveBetween(0, 65535).WithMessage("--grpc-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o.MetricsPort).InclusiveBetween(0, 65535).WithMessage("--metrics-port: expected 0 to 65535, got {PropertyValue}");
        RuleFor(o => o).Must(o => o.AllowHttp || o.AllowGrpc).WithMessage("--allow-http=false and --allow-grpc=false together leave nothing to serve");
        RuleFor(o => o).Custom((o, context) =>
        {
            if (Collision(o) is { } message)
            {
                context.AddFailure(message);
            }
        });
        RuleFor(o => o.HttpMaxInputSize).GreaterThan(0).WithMessage("--http-max-input-size: expected 1 or more, got {PropertyValue}");
        RuleFor(o => o.GrpcMaxMessageSize).InclusiveBetween(1, int.MaxValue).WithMessage("--grpc-max-message-size: expected 1 to 2147483647, got {PropertyValue}");
        RuleFor(o => o.SseHeartbeatSecs).InclusiveBetween(0, 86_400).WithMessage("--sse-heartbeat-secs: expected 0 to 86400, got {PropertyValue}");
        RuleFor(o => o.SseTerminalEvent).Must(text => text.AsSpan().IndexOfAny('\r', '\n') < 0).WithMessage("--sse-terminal-event: expected one line");
        RuleFor(o => o.HttpHeaderForwardPattern).Must(IsPattern).WithMessage("--http-header-forward-pattern: '{PropertyValue}' is not a regular expression");
        RuleFor(o => o.GrpcInferResponseCompressionLevel).Must(level => level is "none" or "low" or "medium" or "high")
            .WithMessage("--grpc-infer-response-compression-level: expected none, low, medium or high, got '{PropertyValue}'");
        RuleFor(o => o.GrpcHeaderForwardPattern).Must(IsPattern).WithMessage("--grpc-header-forward-pattern: '{PropertyValue}' is not a regular expression");
        RuleFor(o => o.HttpRestrictedApi).Custom((entries, context) => Restricted("--http-restricted-api", entries, context.AddFailure));
        RuleFor(o => o.GrpcRestrictedProtocol).Custom((entries, context) => Restricted("--grpc-restricted-protocol", entries, context.AddFailure));
    }

    private void LimitRules()
    {
        RuleFor(o => o.DrainDelaySecs).GreaterThanOrEqualTo(0).WithMessage("--drain-delay-secs: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.CanaryIntervalSecs).InclusiveBetween(0, 86_400).WithMessage("--canary-interval-secs: expected 0 to 86400, got {PropertyValue}");
        RuleFor(o => o.CanaryTimeoutSecs).InclusiveBetween(1, 86_400).WithMessage("--canary-timeout-secs: expected 1 to 86400, got {PropertyValue}");
        RuleFor(o => o.MaxRequestsInFlight).GreaterThanOrEqualTo(0).WithMessage("--max-requests-in-flight: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.MaxBodyBytesInFlight).GreaterThanOrEqualTo(0).WithMessage("--max-body-bytes-in-flight: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.RequestTimeoutMs).GreaterThanOrEqualTo(0).WithMessage("--request-timeout-ms: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.DefaultMaxQueueSize).GreaterThanOrEqualTo(0).WithMessage("--default-max-queue-size: expected 0 or more, got {PropertyValue}");
    }

    private void LogRules()
    {
        RuleFor(o => o.LogVerbose).GreaterThanOrEqualTo(0).WithMessage("--log-verbose: expected 0 or more, got {PropertyValue}");
        RuleFor(o => o.LogFormat).Must(Settings.LogSettings.IsFormat).WithMessage("--log-format: expected default, ISO8601 or json, got '{PropertyValue}'");
        RuleFor(o => o.TraceSampleRatio).Must(text => text.Length == 0 || TelemetrySettings.TryReadRatio(text, out _)).WithMessage("--trace-sample-ratio: expected a number from 0 to 1, got '{PropertyValue}'");
    }

    private static string? Collision(HostOptions o)
    {
        (string Name, bool Allowed, string Address, int Port)[] doors =
        [
            ("grpc", o.AllowGrpc, o.GrpcAddress, o.GrpcPort),
            ("http", o.AllowHttp, o.HttpAddress, o.HttpPort),
            ("metrics", o.AllowMetrics, o.MetricsAddress, o.MetricsPort),
        ];
        for (var i = 0; i < doors.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (a, b) = (doors[j], doors[i]);
                if (a.Allowed && b.Allowed && a.Port == b.Port && a.Port != 0 && (a.Address == b.Address || IsAny(a.Address) || IsAny(b.Address)))
                {
                    return $"--{a.Name}-port and --{b.Name}-port are both {a.Port}";
                }
            }
        }

        return null;
    }

    private static bool IsAny(string address) => address is "0.0.0.0" or "::" or "*";

    private static bool IsPattern(string pattern)
    {
        if (pattern.Length == 0)
        {
            return true;
        }

        try
        {
            _ = HeaderForwarding.Compile(pattern);
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static void Restricted(string flag, IReadOnlyList<string> entries, Action<string> fail)
    {
        foreach (var fault in RestrictedApi.Faults(entries))
        {
            fail($"{flag}: {fault}");
        }
    }
}
