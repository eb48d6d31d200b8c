namespace Runtime.Host.Options;

/// <summary>Triton's flags that are not settings here: those that mean nothing, and those whose silence would promise safety that is not there.</summary>
internal static class TritonFlags
{
    private static readonly HashSet<string> Ignored =
    [
        "http-thread-count", "reuse-http-port", "grpc-infer-thread-count", "grpc-infer-allocation-pool-size",
        "grpc-max-response-pending-count", "reuse-grpc-port", "grpc-http2-max-pings-without-data",
        "grpc-arg-http2-max-pings-without-data", "pinned-memory-pool-byte-size", "cuda-memory-pool-byte-size", "cuda-virtual-address-size",
        "min-supported-compute-capability", "buffer-manager-thread-count", "model-load-thread-count", "model-load-retry-count",
        "model-load-gpu-limit", "model-namespacing", "enable-peer-access", "backend-directory", "backend-config", "repoagent-directory",
        "cache-directory", "rate-limit", "rate-limit-resource", "host-policy",
        "allow-cpu-metrics", "trace-config",
        "trace-file", "trace-level", "trace-rate", "trace-count",
        "trace-log-frequency", "allow-sagemaker", "allow-vertex-ai", "tf-allow-soft-placement", "tf-gpu-memory-fraction",
    ];

    private static readonly string[] IgnoredFamilies = ["grpc-keepalive-", "grpc-http2-", "grpc-arg-", "sagemaker-", "vertex-ai-"];

    private static readonly HashSet<string> Refused = ["grpc-server-cert", "grpc-server-key", "grpc-root-cert", "grpc-use-ssl", "grpc-use-ssl-mutual"];

    public static IEnumerable<string> Names => Ignored;

    public static bool IsIgnored(string name) => Ignored.Contains(name) || IgnoredFamilies.Any(family => name.StartsWith(family, StringComparison.Ordinal));

    public static bool IsRefused(string name) => Refused.Contains(name);
}
