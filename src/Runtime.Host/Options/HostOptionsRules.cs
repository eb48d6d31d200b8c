using Runtime.Host.Http;
using Runtime.Host.Nvcf;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Options;

/// <summary>What settings must hold, alone and together.</summary>
internal sealed class HostOptionsRules : OptionRules
{
    public HostOptionsRules()
    {
        ModelRules();
        ListenerRules();
        LogRules();
        LimitRules();
        RefuseEach(o => new FunctionRules().Validate(o).Errors.Select(error => error.ErrorMessage));
        Require(o => o.ExitTimeoutSecs >= 0, o => $"--exit-timeout-secs: expected 0 or more, got {o.ExitTimeoutSecs}");
    }

    private void ModelRules()
    {
        Require(o => o.ModelControlMode is "none" or "explicit" or "poll", o => $"--model-control-mode: expected none, explicit or poll, got '{o.ModelControlMode}'");
        Require(o => o.SchemaDirectory.Length == 0 || Directory.Exists(o.SchemaDirectory), o => $"--schema-directory: there is no directory '{o.SchemaDirectory}'");
        Require(o => o.ModelControlMode == "explicit" || o.LoadModel.Count == 0, o => $"--load-model needs --model-control-mode=explicit, the mode is '{o.ModelControlMode}'");
        Require(o => !o.LoadModel.Contains("*") || o.LoadModel.Count == 1, _ => "--load-model=* loads every model and stands alone");
        Require(o => o.OnnxIntraOpThreads is >= 0 and <= 1024, o => $"--onnx-intra-op-threads: expected 0 to 1024, got {o.OnnxIntraOpThreads}");
        Require(o => o.OnnxInterOpThreads is >= 0 and <= 1024, o => $"--onnx-inter-op-threads: expected 0 to 1024, got {o.OnnxInterOpThreads}");
        Require(o => o.OnnxCudaLibrary.Length == 0 || File.Exists(o.OnnxCudaLibrary), o => $"--onnx-cuda-library: there is no file '{o.OnnxCudaLibrary}'");
        Require(o => o.OnnxGpuMemLimit >= 0, o => $"--onnx-gpu-mem-limit: expected 0 or more, got {o.OnnxGpuMemLimit}");
        Require(
            o => o.OnnxCudnnConvAlgoSearch is "EXHAUSTIVE" or "HEURISTIC" or "DEFAULT",
            o => $"--onnx-cudnn-conv-algo-search: expected EXHAUSTIVE, HEURISTIC or DEFAULT, got '{o.OnnxCudnnConvAlgoSearch}'");
        Require(o => o.TorchIntraOpThreads is >= 0 and <= 1024, o => $"--torch-intra-op-threads: expected 0 to 1024, got {o.TorchIntraOpThreads}");
        Require(o => o.ModelControlMode != "poll" || o.RepositoryPollSecs > 0, o => $"--repository-poll-secs: expected 1 or more, got {o.RepositoryPollSecs}");
        Refuse(o => CacheFlags.TryRead(o, out _));
        Refuse(o => MetricsFlags.TryRead(o.MetricsConfig, out _));
        Require(o => o.MetricsIntervalMs >= 0, o => $"--metrics-interval-ms: expected 0 or more, got {o.MetricsIntervalMs}");
        Require(o => !string.IsNullOrWhiteSpace(o.Id), _ => "--id must not be empty");
    }

    private void ListenerRules()
    {
        Require(o => o.HttpPort is >= 0 and <= 65535, o => $"--http-port: expected 0 to 65535, got {o.HttpPort}");
        Require(o => o.GrpcPort is >= 0 and <= 65535, o => $"--grpc-port: expected 0 to 65535, got {o.GrpcPort}");
        Require(o => o.MetricsPort is >= 0 and <= 65535, o => $"--metrics-port: expected 0 to 65535, got {o.MetricsPort}");
        Require(o => o.AllowHttp || o.AllowGrpc, _ => "--allow-http=false and --allow-grpc=false together leave nothing to serve");
        Refuse(Collision);
        Require(o => o.HttpMaxInputSize > 0, o => $"--http-max-input-size: expected 1 or more, got {o.HttpMaxInputSize}");
        Require(o => o.GrpcMaxMessageSize is >= 1 and <= int.MaxValue, o => $"--grpc-max-message-size: expected 1 to 2147483647, got {o.GrpcMaxMessageSize}");
        Require(o => o.GrpcKeepaliveTime is 0 or >= 1000, o => $"--grpc-keepalive-time: expected 0, or 1000 or more, got {o.GrpcKeepaliveTime}");
        Require(o => o.GrpcKeepaliveTimeout >= 1000, o => $"--grpc-keepalive-timeout: expected 1000 or more, got {o.GrpcKeepaliveTimeout}");
        Require(o => o.SseHeartbeatSecs is >= 0 and <= 86_400, o => $"--sse-heartbeat-secs: expected 0 to 86400, got {o.SseHeartbeatSecs}");
        Require(o => o.SseTerminalEvent.AsSpan().IndexOfAny('\r', '\n') < 0, _ => "--sse-terminal-event: expected one line");
        Require(o => IsPattern(o.HttpHeaderForwardPattern), o => $"--http-header-forward-pattern: '{o.HttpHeaderForwardPattern}' is not a regular expression");
        Require(
            o => o.GrpcInferResponseCompressionLevel is "none" or "low" or "medium" or "high",
            o => $"--grpc-infer-response-compression-level: expected none, low, medium or high, got '{o.GrpcInferResponseCompressionLevel}'");
        Require(o => IsPattern(o.GrpcHeaderForwardPattern), o => $"--grpc-header-forward-pattern: '{o.GrpcHeaderForwardPattern}' is not a regular expression");
        RefuseEach(o => Restricted("--http-restricted-api", o.HttpRestrictedApi));
        RefuseEach(o => Restricted("--grpc-restricted-protocol", o.GrpcRestrictedProtocol));
    }

    private void LimitRules()
    {
        Require(o => o.DrainDelaySecs >= 0, o => $"--drain-delay-secs: expected 0 or more, got {o.DrainDelaySecs}");
        Require(o => o.CanaryIntervalSecs is >= 0 and <= 86_400, o => $"--canary-interval-secs: expected 0 to 86400, got {o.CanaryIntervalSecs}");
        Require(o => o.CanaryTimeoutSecs is >= 1 and <= 86_400, o => $"--canary-timeout-secs: expected 1 to 86400, got {o.CanaryTimeoutSecs}");
        Require(o => o.MaxRequestsInFlight >= 0, o => $"--max-requests-in-flight: expected 0 or more, got {o.MaxRequestsInFlight}");
        Require(o => o.MaxBodyBytesInFlight >= 0, o => $"--max-body-bytes-in-flight: expected 0 or more, got {o.MaxBodyBytesInFlight}");
        Require(o => o.RequestTimeoutMs >= 0, o => $"--request-timeout-ms: expected 0 or more, got {o.RequestTimeoutMs}");
        Require(o => o.DefaultMaxQueueSize >= 0, o => $"--default-max-queue-size: expected 0 or more, got {o.DefaultMaxQueueSize}");
    }

    private void LogRules()
    {
        Require(o => o.LogVerbose >= 0, o => $"--log-verbose: expected 0 or more, got {o.LogVerbose}");
        Require(o => Settings.LogSettings.IsFormat(o.LogFormat), o => $"--log-format: expected default, ISO8601 or json, got '{o.LogFormat}'");
        Require(o => o.TraceSampleRatio.Length == 0 || TelemetrySettings.TryReadRatio(o.TraceSampleRatio, out _), o => $"--trace-sample-ratio: expected a number from 0 to 1, got '{o.TraceSampleRatio}'");
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

    private static IEnumerable<string> Restricted(string flag, IReadOnlyList<string> entries) => RestrictedApi.Faults(entries).Select(fault => $"{flag}: {fault}");
}
