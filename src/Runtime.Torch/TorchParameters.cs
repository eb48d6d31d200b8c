using System.Globalization;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Torch;

/// <summary>A model's parameters: those of Triton's PyTorch backend in capitals, and ours.</summary>
internal sealed record TorchParameters
{
    public const string DefaultMethod = "forward";
    private const int DefaultWarmupRuns = 3;

    private static readonly Dictionary<string, bool> Switches = new(StringComparer.OrdinalIgnoreCase) { ["0"] = false, ["false"] = false, ["1"] = true, ["true"] = true };

    /// <summary>The method to run.</summary>
    public required string Method { get; init; }

    public required bool OptimizedExecution { get; init; }

    public required bool InferenceMode { get; init; }

    /// <summary>Whether instances on one device use the same weights.</summary>
    public required bool ShareWeights { get; init; }

    /// <summary>Whether a GPU's unused cached memory is given back after each execution.</summary>
    public required bool CleanCache { get; init; }

    /// <summary>Null leaves it to libtorch. This and the next two are the whole process's.</summary>
    public required bool? JitExecutor { get; init; }

    public required bool? JitProfiling { get; init; }

    public required bool? TensorFuser { get; init; }

    public required bool Freeze { get; init; }

    public required bool OptimizeForInference { get; init; }

    /// <summary>0 for the host's.</summary>
    public required int IntraOpThreads { get; init; }

    /// <summary>0 leaves it to libtorch. The whole process's.</summary>
    public required int InterOpThreads { get; init; }

    /// <summary>Runs on zeros before the model serves.</summary>
    public required int WarmupRuns { get; init; }

    /// <exception cref="InferenceException">A parameter has a value that it cannot have.</exception>
    public static TorchParameters Read(ModelConfig config) => new()
    {
        Method = config.Parameters.GetValueOrDefault("method", DefaultMethod),
        OptimizedExecution = !(Switch(config, "DISABLE_OPTIMIZED_EXECUTION") ?? false),
        InferenceMode = Switch(config, "INFERENCE_MODE") ?? true,
        ShareWeights = Switch(config, "ENABLE_WEIGHT_SHARING") ?? true,
        CleanCache = Switch(config, "ENABLE_CACHE_CLEANING") ?? false,
        JitExecutor = Switch(config, "ENABLE_JIT_EXECUTOR"),
        JitProfiling = Switch(config, "ENABLE_JIT_PROFILING"),
        TensorFuser = Switch(config, "ENABLE_TENSOR_FUSER"),
        Freeze = Switch(config, "freeze") ?? false,
        OptimizeForInference = Switch(config, "optimize_for_inference") ?? false,
        IntraOpThreads = Number(config, "INTRA_OP_THREAD_COUNT", 1024, 0),
        InterOpThreads = Number(config, "INTER_OP_THREAD_COUNT", 1024, 0),

        // Samples of the model's own are better than zeros.
        WarmupRuns = Number(config, "warmup_runs", 100, config.Message.ModelWarmup.Count > 0 ? 0 : DefaultWarmupRuns),
    };

    private static bool? Switch(ModelConfig config, string parameter)
    {
        if (!config.Parameters.TryGetValue(parameter, out var text))
        {
            return null;
        }

        return Switches.TryGetValue(text, out var value) ? value : throw Unfit(config, parameter, "one of " + string.Join(", ", Switches.Keys), text);
    }

    private static int Number(ModelConfig config, string parameter, int most, int otherwise)
    {
        if (!config.Parameters.TryGetValue(parameter, out var text))
        {
            return otherwise;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= most
            ? count
            : throw Unfit(config, parameter, $"a whole number from 0 to {most}", text);
    }

    private static InferenceException Unfit(ModelConfig config, string parameter, string expected, string value)
        => new(ErrorCode.InvalidArgument, $"parameter '{parameter}' of model '{config.Name}' must be {expected}, got '{value}'");
}
