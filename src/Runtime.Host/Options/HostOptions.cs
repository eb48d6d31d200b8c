using Runtime.Models;

namespace Runtime.Host.Options;

/// <summary>The settings of the process, fixed at start. Every property is a command line flag of Triton's name, an environment variable and a key of the settings file.</summary>
public sealed record HostOptions
{
    /// <summary>The server's name in its metadata.</summary>
    public string Id { get; init; } = "runtime";

    public IReadOnlyList<string> ModelRepository { get; init; } = [];

    /// <summary>none, explicit or poll.</summary>
    /// <summary>A directory with input schemas by model name, such as <c>resnet.py</c>; empty for none.</summary>
    public string SchemaDirectory { get; init; } = "";

    public string ModelControlMode { get; init; } = "none";

    /// <summary>Models to load at start in explicit mode; <c>*</c> for all.</summary>
    public IReadOnlyList<string> LoadModel { get; init; } = [];

    public int RepositoryPollSecs { get; init; } = 15;

    public bool DisableAutoCompleteConfig { get; init; }

    /// <summary>Entries such as <c>local,size=1048576</c>; none for no response cache.</summary>
    public IReadOnlyList<string> CacheConfig { get; init; } = [];

    /// <summary>Bytes of the response cache, as Triton's older flag says it; 0 for none.</summary>
    public long ResponseCacheByteSize { get; init; }

    /// <summary>Where compiled functions are kept; empty for a directory of the user's, none for nowhere.</summary>
    public string FunctionCache { get; init; } = "";

    public bool StrictReadiness { get; init; } = true;

    public bool ExitOnError { get; init; } = true;

    public int ExitTimeoutSecs { get; init; } = 30;

    /// <summary>How long the host serves on, not ready, after it was told to stop.</summary>
    public int DrainDelaySecs { get; init; }

    /// <summary>How often each model is asked whether it still executes; 0 for never.</summary>
    public int CanaryIntervalSecs { get; init; }

    /// <summary>How long it may take with the answer until the host is not ready.</summary>
    public int CanaryTimeoutSecs { get; init; } = 30;

    /// <summary>Requests that may wait in a model's queue whose policy gives no <c>max_queue_size</c>; 0 for any number.</summary>
    public int DefaultMaxQueueSize { get; init; } = ModelLimits.Default.MaxQueueSize;

    /// <summary>How long a request may take, in milliseconds, where its model says nothing else; 0 for any time.</summary>
    public int RequestTimeoutMs { get; init; }

    /// <summary>Inference requests that may be in the process at once; 0 for any number.</summary>
    public int MaxRequestsInFlight { get; init; }

    /// <summary>Bytes that the bodies of the requests in the process may have together, as they were sent; 0 for any number.</summary>
    public long MaxBodyBytesInFlight { get; init; }

    public bool AllowHttp { get; init; } = true;

    public string HttpAddress { get; init; } = "0.0.0.0";

    public int HttpPort { get; init; } = 8000;

    /// <summary>Bytes that a request's body may have, before and after decompression.</summary>
    public long HttpMaxInputSize { get; init; } = 64 << 20;

    /// <summary>A pattern of header names whose values become request parameters; empty for none.</summary>
    public string HttpHeaderForwardPattern { get; init; } = "";

    /// <summary>Entries such as <c>health,metadata:key=value</c>.</summary>
    public IReadOnlyList<string> HttpRestrictedApi { get; init; } = [];

    /// <summary>Whether FP16 and BF16 tensors may travel as JSON numbers in infer requests, which Triton refuses.</summary>
    public bool HttpHalfPrecisionJson { get; init; }

    /// <summary>How long a stream of server-sent events may be silent before a comment line keeps it alive; 0 for ever.</summary>
    public int SseHeartbeatSecs { get; init; } = 15;

    /// <summary>The data of the event that ends a stream of server-sent events; empty for none.</summary>
    public string SseTerminalEvent { get; init; } = "";

    public bool AllowGrpc { get; init; } = true;

    public string GrpcAddress { get; init; } = "0.0.0.0";

    public int GrpcPort { get; init; } = 8001;

    /// <summary>Bytes that one gRPC message may have, before and after decompression.</summary>
    public long GrpcMaxMessageSize { get; init; } = int.MaxValue;

    /// <summary>Milliseconds of silence after which a gRPC client is asked whether it is still there; 0 is never.</summary>
    public int GrpcKeepaliveTime { get; init; } = 60_000;

    /// <summary>Milliseconds that it has to answer before its connection is closed, and its calls are cancelled.</summary>
    public int GrpcKeepaliveTimeout { get; init; } = 20_000;

    /// <summary>none, low, medium or high: how inference responses are compressed for clients that accept gzip.</summary>
    public string GrpcInferResponseCompressionLevel { get; init; } = "none";

    public string GrpcHeaderForwardPattern { get; init; } = "";

    public IReadOnlyList<string> GrpcRestrictedProtocol { get; init; } = [];

    public bool AllowMetrics { get; init; } = true;

    /// <summary>The address of HTTP unless it is set.</summary>
    public string MetricsAddress { get => field ?? HttpAddress; init; }

    public int MetricsPort { get; init; } = 8002;

    /// <summary>Entries such as <c>summary_latencies=true</c>.</summary>
    public IReadOnlyList<string> MetricsConfig { get; init; } = [];

    /// <summary>Whether the metrics tell of the machine's GPUs, where there are any.</summary>
    public bool AllowGpuMetrics { get; init; } = true;

    /// <summary>How long a reading of the GPUs is good for.</summary>
    public int MetricsIntervalMs { get; init; } = 2000;

    public bool AllowClientShm { get; init; }

    /// <summary>Threads that share the work inside one operator, for all ONNX models together; 0 for one a processor.</summary>
    public int OnnxIntraOpThreads { get; init; }

    /// <summary>Threads that run operators side by side, for all ONNX models together; 0 for one a processor.</summary>
    public int OnnxInterOpThreads { get; init; }

    /// <summary>Whether those threads spin for a while when they have no work, for latency at the price of CPU time.</summary>
    public bool OnnxThreadSpinning { get; init; }

    /// <summary>ONNX Runtime's library for CUDA; empty looks beside the application.</summary>
    public string OnnxCudaLibrary { get; init; } = "";

    /// <summary>Bytes of a GPU's memory that one session of an ONNX model may take; 0 for no limit.</summary>
    public long OnnxGpuMemLimit { get; init; }

    /// <summary>EXHAUSTIVE, HEURISTIC or DEFAULT: how convolutions on a GPU find their algorithm.</summary>
    public string OnnxCudnnConvAlgoSearch { get; init; } = "HEURISTIC";

    /// <summary>Threads that share the work inside one operator, for each instance of a TorchScript model; 0 for one a processor.</summary>
    public int TorchIntraOpThreads { get; init; }

    /// <summary>true, false or auto: whether the host runs as a function of NVIDIA Cloud Functions. Bound, auto is decided by the environment.</summary>
    public string Nvcf { get; init; } = "auto";

    /// <summary>Where the platform mounts models and resources, read-only.</summary>
    public string NvcfConfigRoot { get; init; } = "/config";

    /// <summary>The file that the platform keeps the function's secrets in.</summary>
    public string NvcfSecretsFile { get; init; } = "/var/secrets/secrets.json";

    /// <summary>Bytes that an asset may have as an input; larger ones are read by path.</summary>
    public long NvcfMaxAssetSize { get; init; } = 1 << 30;

    public int LogVerbose { get; init; }

    public bool LogInfo { get; init; } = true;

    public bool LogWarning { get; init; } = true;

    public bool LogError { get; init; } = true;

    /// <summary>default, ISO8601 or json.</summary>
    public string LogFormat { get; init; } = "default";

    /// <summary>The file that log lines are appended to; empty for standard error.</summary>
    public string LogFile { get; init; } = "";

    /// <summary>Whether each inference request becomes a line of the log.</summary>
    public bool LogRequests { get; init; }

    /// <summary>Whether lines look like those of NVIDIA Cloud Functions' library, which its log views look for.</summary>
    public bool LogInferenceTag { get; init; }

    /// <summary>The share of the traces begun here that are kept, 0 to 1; empty for what OTEL_TRACES_SAMPLER says.</summary>
    public string TraceSampleRatio { get; init; } = "";

    /// <summary>Whether the host runs as a function.</summary>
    internal bool IsFunction => Nvcf == "true";
}
