namespace Runtime.Host.Options;

/// <summary>Settings that belong together under a heading of the help.</summary>
internal sealed record OptionGroup(string Title, IReadOnlyList<Option> Options);

/// <summary>Every setting of the process, once: the command line, the environment, the settings file and the help all read this table.</summary>
internal static class OptionTable
{
    public static readonly IReadOnlyList<OptionGroup> Groups =
    [
        new("Models",
        [
            Option.List("model-repository", "Directory with models; repeat it for several. Without it: models in the working directory.", "DIR", (o, v) => o with { ModelRepository = v }),
            Option.Text("schema-directory", "Directory with input schemas (NAME.py or NAME.json) for models that have none beside their configuration.", o => o.SchemaDirectory, (o, v) => o with { SchemaDirectory = v }),
            Option.Text("model-control-mode", "none: load all at start; explicit: load on request; poll: follow changes of the repository.", o => o.ModelControlMode, (o, v) => o with { ModelControlMode = v }),
            Option.List("load-model", "Model to load at start in explicit mode, * for all; repeat it for several.", "NAME", (o, v) => o with { LoadModel = v }),
            Option.Number("repository-poll-secs", "Seconds between two looks at the repository in poll mode.", o => o.RepositoryPollSecs, (o, v) => o with { RepositoryPollSecs = v }),
            Option.Switch("disable-auto-complete-config", "Take configurations as they are, without completing them from the model file.", o => o.DisableAutoCompleteConfig, (o, v) => o with { DisableAutoCompleteConfig = v }),
            Option.Switch("strict-model-config", "Triton's older name of disable-auto-complete-config.", o => o.DisableAutoCompleteConfig, (o, v) => o with { DisableAutoCompleteConfig = v }),
        ]),
        new("Response cache",
        [
            Option.List("cache-config", "local,size=N: keep answers of models with response_cache { enable: true }, in N bytes for all of them together.", "NAME,K=V", (o, v) => o with { CacheConfig = v }),
            Option.Number("response-cache-byte-size", "Triton's older spelling of cache-config local,size=N.", o => o.ResponseCacheByteSize, (o, v) => o with { ResponseCacheByteSize = v }),
        ]),
        new("ONNX Runtime",
        [
            Option.Number("onnx-intra-op-threads", "Threads inside one operator, for all models together; 0 is one a processor.", o => o.OnnxIntraOpThreads, (o, v) => o with { OnnxIntraOpThreads = v }),
            Option.Number("onnx-inter-op-threads", "Threads that run operators side by side, for all models together; 0 is one a processor.", o => o.OnnxInterOpThreads, (o, v) => o with { OnnxInterOpThreads = v }),
            Option.Switch("onnx-thread-spinning", "Let those threads spin when they have no work: lower latency for more CPU time.", o => o.OnnxThreadSpinning, (o, v) => o with { OnnxThreadSpinning = v }),
            Option.Text("onnx-cuda-library", "ONNX Runtime's library for CUDA, libonnxruntime_providers_cuda.so, where it is neither part of ONNX Runtime nor beside the application.", o => o.OnnxCudaLibrary, (o, v) => o with { OnnxCudaLibrary = v }),
            Option.Number("onnx-gpu-mem-limit", "Bytes of a GPU's memory for each session, where the model has no gpu_mem_limit; 0 is no limit.", o => o.OnnxGpuMemLimit, (o, v) => o with { OnnxGpuMemLimit = v }),
            Option.Text("onnx-cudnn-conv-algo-search", "EXHAUSTIVE, HEURISTIC or DEFAULT, where the model has no cudnn_conv_algo_search: how convolutions on a GPU find their algorithm.", o => o.OnnxCudnnConvAlgoSearch, (o, v) => o with { OnnxCudnnConvAlgoSearch = v }),
        ]),
        new("TorchScript",
        [
            Option.Number("torch-intra-op-threads", "Threads inside one operator, for each instance; a model can ask for fewer. 0 is one a processor.", o => o.TorchIntraOpThreads, (o, v) => o with { TorchIntraOpThreads = v }),
        ]),
        new("Functions",
        [
            Option.Text("function-cache", "Directory of compiled C# functions, writable by this user alone; without it one in the user's cache, none keeps none.", o => o.FunctionCache, (o, v) => o with { FunctionCache = v }),
        ]),
        new("Process",
        [
            Option.Text("id", "The server's name in its metadata.", o => o.Id, (o, v) => o with { Id = v }),
            Option.Switch("strict-readiness", "Ready only while every model that should be loaded is.", o => o.StrictReadiness, (o, v) => o with { StrictReadiness = v }),
            Option.Switch("exit-on-error", "Exit when a model fails to load at start.", o => o.ExitOnError, (o, v) => o with { ExitOnError = v }),
            Option.Number("exit-timeout-secs", "Seconds that requests in flight have to finish after SIGTERM or SIGINT.", o => o.ExitTimeoutSecs, (o, v) => o with { ExitTimeoutSecs = v }),
            Option.Number("drain-delay-secs", "Seconds to serve on after SIGTERM or SIGINT, not ready, until load balancers have noticed.", o => o.DrainDelaySecs, (o, v) => o with { DrainDelaySecs = v }),
            Option.Number("canary-interval-secs", "Seconds between two looks at whether each model still executes, by a small request of the host's own; 0 is never.", o => o.CanaryIntervalSecs, (o, v) => o with { CanaryIntervalSecs = v }),
            Option.Number("canary-timeout-secs", "Seconds that a model may take with that request before the host is not ready.", o => o.CanaryTimeoutSecs, (o, v) => o with { CanaryTimeoutSecs = v }),
            Option.Switch("allow-client-shm", "Let clients register shared memory.", o => o.AllowClientShm, (o, v) => o with { AllowClientShm = v }),
        ]),
        new("Limits",
        [
            Option.Number("default-max-queue-size", "Requests that may wait in a queue whose policy gives no max_queue_size; 0 is any number.", o => o.DefaultMaxQueueSize, (o, v) => o with { DefaultMaxQueueSize = v }),
            Option.Number("request-timeout-ms", "Milliseconds that a request may take, waiting and executing; 0 is any time. The model parameter request_timeout_ms wins.", o => o.RequestTimeoutMs, (o, v) => o with { RequestTimeoutMs = v }),
            Option.Number("max-requests-in-flight", "Inference requests that may be in the process at once, more get 429; 0 is any number.", o => o.MaxRequestsInFlight, (o, v) => o with { MaxRequestsInFlight = v }),
            Option.Number("max-body-bytes-in-flight", "Bytes that their bodies may have together, one larger body goes alone; 0 is any number. A body of unknown length counts as http-max-input-size.", o => o.MaxBodyBytesInFlight, (o, v) => o with { MaxBodyBytesInFlight = v }),
        ]),
        new("HTTP",
        [
            Option.Switch("allow-http", "Serve HTTP.", o => o.AllowHttp, (o, v) => o with { AllowHttp = v }),
            Option.Text("http-address", "Address to listen on.", o => o.HttpAddress, (o, v) => o with { HttpAddress = v }),
            Option.Number("http-port", "Port to listen on; 0 picks a free one. $PORT sets it too.", o => o.HttpPort, (o, v) => o with { HttpPort = v }),
            Option.Number("http-max-input-size", "Bytes that a request's body may have, also once decompressed.", o => o.HttpMaxInputSize, (o, v) => o with { HttpMaxInputSize = v }),
            Option.Text("http-header-forward-pattern", "Regular expression of headers that become request parameters.", o => o.HttpHeaderForwardPattern, (o, v) => o with { HttpHeaderForwardPattern = v }),
            Option.List("http-restricted-api", "APIs that need a header, such as health,metadata:key=value; repeat it for several.", "APIS:K=V", (o, v) => o with { HttpRestrictedApi = v }),
            Option.Switch("http-half-precision-json", "Let FP16 and BF16 travel as JSON numbers, which Triton refuses.", o => o.HttpHalfPrecisionJson, (o, v) => o with { HttpHalfPrecisionJson = v }),
            Option.Number("sse-heartbeat-secs", "Seconds that a stream of server-sent events may be silent before a comment keeps it alive; 0 is for ever.", o => o.SseHeartbeatSecs, (o, v) => o with { SseHeartbeatSecs = v }),
            Option.Text("sse-terminal-event", "Data of the event that ends such a stream, as [DONE]; empty is no such event.", o => o.SseTerminalEvent, (o, v) => o with { SseTerminalEvent = v }),
        ]),
        new("gRPC",
        [
            Option.Switch("allow-grpc", "Serve gRPC.", o => o.AllowGrpc, (o, v) => o with { AllowGrpc = v }),
            Option.Text("grpc-address", "Address to listen on.", o => o.GrpcAddress, (o, v) => o with { GrpcAddress = v }),
            Option.Number("grpc-port", "Port to listen on; 0 picks a free one.", o => o.GrpcPort, (o, v) => o with { GrpcPort = v }),
            Option.Number("grpc-max-message-size", "Bytes that one message may have, also once decompressed.", o => o.GrpcMaxMessageSize, (o, v) => o with { GrpcMaxMessageSize = v }),
            Option.Number("grpc-keepalive-time", "Milliseconds of silence after which a client is asked whether it is still there; 0 is never.", o => o.GrpcKeepaliveTime, (o, v) => o with { GrpcKeepaliveTime = v }),
            Option.Number("grpc-keepalive-timeout", "Milliseconds that it has to answer before its connection is closed and its calls are cancelled.", o => o.GrpcKeepaliveTimeout, (o, v) => o with { GrpcKeepaliveTimeout = v }),
            Option.Text("grpc-infer-response-compression-level", "none, low, medium or high, for clients that accept gzip.", o => o.GrpcInferResponseCompressionLevel, (o, v) => o with { GrpcInferResponseCompressionLevel = v }),
            Option.Text("grpc-header-forward-pattern", "Regular expression of metadata that become request parameters.", o => o.GrpcHeaderForwardPattern, (o, v) => o with { GrpcHeaderForwardPattern = v }),
            Option.List("grpc-restricted-protocol", "As http-restricted-api, for gRPC's metadata.", "APIS:K=V", (o, v) => o with { GrpcRestrictedProtocol = v }),
        ]),
        new("Metrics",
        [
            Option.Switch("allow-metrics", "Serve metrics.", o => o.AllowMetrics, (o, v) => o with { AllowMetrics = v }),
            Option.Text("metrics-address", "Address to listen on; HTTP's unless it is given.", o => o.MetricsAddress, (o, v) => o with { MetricsAddress = v }),
            Option.Number("metrics-port", "Port to listen on; 0 picks a free one.", o => o.MetricsPort, (o, v) => o with { MetricsPort = v }),
            Option.Switch("allow-gpu-metrics", "Tell of the GPUs that this process can use: memory, utilization, power, energy.", o => o.AllowGpuMetrics, (o, v) => o with { AllowGpuMetrics = v }),
            Option.Number("metrics-interval-ms", "Milliseconds for which a reading of the GPUs is served before they are read again.", o => o.MetricsIntervalMs, (o, v) => o with { MetricsIntervalMs = v }),
            Option.List("metrics-config", "counter_latencies, summary_latencies or histogram_latencies=true|false, or summary_quantiles=Q:E,...; repeat it for several.", "K=V", (o, v) => o with { MetricsConfig = v }),
        ]),
        new("NVIDIA Cloud Functions",
        [
            Option.Text("nvcf", "true: run as a function of NVIDIA Cloud Functions, whose headers and limits then count; false; auto: true where NVCF_FUNCTION_ID or NVCF_FUNCTION_VERSION_ID is set.", o => o.Nvcf, (o, v) => o with { Nvcf = v }),
            Option.Text("nvcf-config-root", "Where the platform mounts models/* and resources/*, read-only.", o => o.NvcfConfigRoot, (o, v) => o with { NvcfConfigRoot = v }),
            Option.Text("nvcf-secrets-file", "The platform's file of secrets, read again when it changes.", o => o.NvcfSecretsFile, (o, v) => o with { NvcfSecretsFile = v }),
            Option.Number("nvcf-max-asset-size", "Bytes that an asset may have as an input.", o => o.NvcfMaxAssetSize, (o, v) => o with { NvcfMaxAssetSize = v }),
        ]),
        new("Log",
        [
            Option.Switch("log-info", "Write information.", o => o.LogInfo, (o, v) => o with { LogInfo = v }),
            Option.Switch("log-warning", "Write warnings.", o => o.LogWarning, (o, v) => o with { LogWarning = v }),
            Option.Switch("log-error", "Write errors.", o => o.LogError, (o, v) => o with { LogError = v }),
            Option.Number("log-verbose", "Detail: 0 none, 1 this server's, 2 also the web server's.", o => o.LogVerbose, (o, v) => o with { LogVerbose = v }),
            Option.Text("log-format", "default, ISO8601, or json: an object a line.", o => o.LogFormat, (o, v) => o with { LogFormat = v }),
            Option.Text("log-file", "File to append to, instead of standard error.", o => o.LogFile, (o, v) => o with { LogFile = v }),
            Option.Switch("log-requests", "Write a line for each inference request: model, ids, status, times, sizes.", o => o.LogRequests, (o, v) => o with { LogRequests = v }),
            Option.Switch("log-inference-tag", "Write lines as NVIDIA Cloud Functions' library does, with [INFERENCE] in them.", o => o.LogInferenceTag, (o, v) => o with { LogInferenceTag = v }),
            Option.Text("trace-sample-ratio", "Share of the traces begun here that are exported, 0 to 1; a caller's own decision wins. Without it OTEL_TRACES_SAMPLER decides.", o => o.TraceSampleRatio, (o, v) => o with { TraceSampleRatio = v }),
        ]),
    ];

    private static readonly Dictionary<string, Option> ByName =
        Groups.SelectMany(group => group.Options).ToDictionary(option => option.Name);

    public static IReadOnlyCollection<Option> All => ByName.Values;

    /// <summary>The setting of that flag, without dashes in front; underscores count as dashes.</summary>
    public static Option? Find(string name)
    {
        name = name.Replace('_', '-');
        return ByName.GetValueOrDefault(name == "model-store" ? "model-repository" : name);
    }
}
