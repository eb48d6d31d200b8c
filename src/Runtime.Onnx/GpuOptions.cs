using System.Globalization;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>What a model's configuration says of its sessions on GPUs, under the names of Triton's backend and of ONNX Runtime's providers.</summary>
/// <param name="Cuda">The CUDA provider's options.</param>
/// <param name="TensorRt">The TensorRT provider's options; null where the model does not ask for it.</param>
/// <param name="UsesGraphs">Whether executions are captured as CUDA graphs.</param>
/// <param name="SharesSession">Whether the instances on one GPU share a session, and with it the weights and the stream.</param>
internal sealed record GpuOptions(Dictionary<string, string> Cuda, Dictionary<string, string>? TensorRt, bool UsesGraphs, bool SharesSession)
{
    private const string Graphs = "enable_cuda_graph";
    private const string MemoryLimit = "gpu_mem_limit";
    private const string AlgorithmSearch = "cudnn_conv_algo_search";
    private const string ArenaStrategy = "arena_extend_strategy";
    private const string ShareSession = "share_session_between_instances";
    private const string TensorRtPrefix = "trt_";

    private static readonly Dictionary<string, string> Switches = new() { ["0"] = "0", ["false"] = "0", ["1"] = "1", ["true"] = "1" };

    private static readonly Dictionary<string, Dictionary<string, string>?> CudaValues = new()
    {
        [MemoryLimit] = null,
        [ArenaStrategy] = Words("kNextPowerOfTwo", "kSameAsRequested"),
        [AlgorithmSearch] = Words("EXHAUSTIVE", "HEURISTIC", "DEFAULT"),
        ["cudnn_conv_use_max_workspace"] = Switches,
        ["cudnn_conv1d_pad_to_nc1d"] = Switches,
        ["do_copy_in_default_stream"] = Switches,
        [Graphs] = Switches,
        ["enable_skip_layer_norm_strict_mode"] = Switches,
        ["fuse_conv_bias"] = Switches,
        ["prefer_nhwc"] = Switches,
        ["sdpa_kernel"] = null,
        ["tunable_op_enable"] = Switches,
        ["tunable_op_max_tuning_duration_ms"] = null,
        ["tunable_op_tuning_enable"] = Switches,
        ["use_ep_level_unified_stream"] = Switches,
        ["use_tf32"] = Switches,
    };

    private static readonly Dictionary<string, string> Precisions = new() { ["FP32"] = "", ["FP16"] = "trt_fp16_enable", ["INT8"] = "trt_int8_enable" };

    /// <exception cref="InferenceException">A parameter has a value that it cannot have.</exception>
    public static GpuOptions From(ModelConfig config, OnnxOptions host)
    {
        var cuda = new Dictionary<string, string> { [ArenaStrategy] = "kSameAsRequested", [AlgorithmSearch] = host.CudnnConvAlgorithmSearch };
        if (host.GpuMemoryLimit > 0)
        {
            cuda[MemoryLimit] = host.GpuMemoryLimit.ToString(CultureInfo.InvariantCulture);
        }

        foreach (var (name, value) in config.Parameters.Where(static parameter => CudaValues.ContainsKey(parameter.Key)))
        {
            cuda[name] = CudaValue(config, name, value);
        }

        Dictionary<string, string>? tensorRt = null;
        foreach (var accelerator in config.Message.Optimization?.ExecutionAccelerators?.GpuExecutionAccelerator ?? [])
        {
            switch (accelerator.Name)
            {
                case "cuda":
                    AddCuda(config, accelerator.Parameters, cuda);
                    break;
                case "tensorrt":
                    tensorRt = TensorRtValues(config, accelerator.Parameters);
                    break;
                default:
                    throw new InferenceException(ErrorCode.InvalidArgument, $"model '{config.Name}' asks for the execution accelerator '{accelerator.Name}'; this host knows tensorrt and cuda");
            }
        }

        var shares = OnnxSessionOptions.Value(config, ShareSession, Switches, "0") == "1";
        var graphs = cuda.GetValueOrDefault(Graphs) == "1" || config.Message.Optimization?.Cuda is { Graphs: true };
        if (graphs && shares)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"model '{config.Name}' cannot both use CUDA graphs and set '{ShareSession}', as a graph serves one instance");
        }

        cuda[Graphs] = graphs ? "1" : "0";
        return new GpuOptions(cuda, tensorRt, graphs, shares);
    }

    private static void AddCuda(ModelConfig config, IEnumerable<KeyValuePair<string, string>> parameters, Dictionary<string, string> cuda)
    {
        foreach (var (name, value) in parameters)
        {
            cuda[name] = CudaValues.ContainsKey(name) ? CudaValue(config, name, value) : throw Unknown(config, "cuda", name, string.Join(", ", CudaValues.Keys));
        }
    }

    private static Dictionary<string, string> TensorRtValues(ModelConfig config, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        var values = new Dictionary<string, string>();
        foreach (var (name, value) in parameters)
        {
            switch (name)
            {
                case "precision_mode":
                    var option = Precisions.GetValueOrDefault(value) ?? throw OnnxSessionOptions.Unfit(config, name, "one of " + string.Join(", ", Precisions.Keys), value);
                    if (option.Length > 0)
                    {
                        values[option] = "1";
                    }

                    break;
                case "max_workspace_size_bytes":
                    values["trt_max_workspace_size"] = Number(config, name, value);
                    break;
                default:
                    values[name] = name.StartsWith(TensorRtPrefix, StringComparison.Ordinal)
                        ? value
                        : throw Unknown(config, "tensorrt", name, $"precision_mode, max_workspace_size_bytes, and ONNX Runtime's own, which begin with {TensorRtPrefix}");
                    break;
            }
        }

        return values;
    }

    private static string CudaValue(ModelConfig config, string name, string value)
    {
        if (CudaValues[name] is not { } words)
        {
            return Number(config, name, value);
        }

        return words.TryGetValue(value, out var word) ? word : throw OnnxSessionOptions.Unfit(config, name, "one of " + string.Join(", ", words.Keys), value);
    }

    private static string Number(ModelConfig config, string name, string value)
        => ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? value : throw OnnxSessionOptions.Unfit(config, name, "a whole number", value);

    /// <summary>Words, and Triton's numbers for them.</summary>
    private static Dictionary<string, string> Words(params string[] words)
        => words.SelectMany((word, i) => new[] { (Key: i.ToString(CultureInfo.InvariantCulture), word), (Key: word, word) }).ToDictionary(pair => pair.Key, pair => pair.word);

    private static InferenceException Unknown(ModelConfig config, string accelerator, string name, string known)
        => new(ErrorCode.InvalidArgument, $"execution accelerator '{accelerator}' of model '{config.Name}' has no parameter '{name}'; it has {known}");
}
