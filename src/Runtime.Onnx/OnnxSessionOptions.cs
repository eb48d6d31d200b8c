using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>Reads a session's options from a model's configuration, under the names of Triton's backend.</summary>
internal static class OnnxSessionOptions
{
    private const string ArenaShrinkage = "memory.enable_memory_arena_shrinkage";
    private const string CpuArena = "cpu:0";

    private static readonly Dictionary<string, ExecutionMode> ExecutionModes = new()
    {
        ["0"] = ExecutionMode.ORT_SEQUENTIAL,
        ["ORT_SEQUENTIAL"] = ExecutionMode.ORT_SEQUENTIAL,
        ["1"] = ExecutionMode.ORT_PARALLEL,
        ["ORT_PARALLEL"] = ExecutionMode.ORT_PARALLEL,
    };

    private static readonly Dictionary<string, GraphOptimizationLevel> OptimizationLevels = new()
    {
        ["0"] = GraphOptimizationLevel.ORT_DISABLE_ALL,
        ["ORT_DISABLE_ALL"] = GraphOptimizationLevel.ORT_DISABLE_ALL,
        ["1"] = GraphOptimizationLevel.ORT_ENABLE_BASIC,
        ["ORT_ENABLE_BASIC"] = GraphOptimizationLevel.ORT_ENABLE_BASIC,
        ["2"] = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        ["ORT_ENABLE_EXTENDED"] = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        ["99"] = GraphOptimizationLevel.ORT_ENABLE_ALL,
        ["ORT_ENABLE_ALL"] = GraphOptimizationLevel.ORT_ENABLE_ALL,
    };

    private static readonly Dictionary<string, bool> Switches = new() { ["0"] = false, ["false"] = false, ["1"] = true, ["true"] = true };

    /// <exception cref="InferenceException">A parameter has a value that it cannot have.</exception>
    public static SessionOptions ForSession(ModelConfig config)
    {
        var options = new SessionOptions();
        try
        {
            options.GraphOptimizationLevel = Value(config, "graph_optimization_level", OptimizationLevels, ConfiguredLevel(config));
            options.ExecutionMode = Value(config, "execution_mode", ExecutionModes, ExecutionMode.ORT_SEQUENTIAL);
            options.EnableCpuMemArena = UsesArena(config);
            options.EnableMemoryPattern = Value(config, "enable_mem_pattern", Switches, true) && options.ExecutionMode == ExecutionMode.ORT_SEQUENTIAL;
            SetThreads(options, config);
            foreach (var (key, value) in config.Parameters.Where(parameter => parameter.Key.StartsWith("session.", StringComparison.Ordinal)))
            {
                Add(config, key, value, options.AddSessionConfigEntry);
            }

            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    /// <exception cref="InferenceException">A parameter has a value that it cannot have.</exception>
    public static RunOptions ForRun(ModelConfig config, Device device)
    {
        var options = new RunOptions();
        try
        {
            if (config.Parameters.TryGetValue(ArenaShrinkage, out var configured) && ArenasOf(config, device, configured) is { Length: > 0 } arenas)
            {
                Add(config, ArenaShrinkage, arenas, options.AddRunConfigEntry);
            }

            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    /// <summary>Those of the configured arenas that a session on that device has; ONNX Runtime refuses a run that names others.</summary>
    private static string ArenasOf(ModelConfig config, Device device, string configured)
    {
        var arenas = configured.Split(';');
        if (!arenas.All(static arena => arena == CpuArena || (arena.StartsWith("gpu:", StringComparison.Ordinal) && ushort.TryParse(arena.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out _))))
        {
            throw Unfit(config, ArenaShrinkage, "such as cpu:0, gpu:0 or cpu:0;gpu:0", configured);
        }

        var ofGpu = string.Create(CultureInfo.InvariantCulture, $"gpu:{device.Gpu ?? -1}");
        var hasCpuArena = UsesArena(config);
        return string.Join(';', arenas.Where(arena => arena == ofGpu || (arena == CpuArena && hasCpuArena)));
    }

    private static bool UsesArena(ModelConfig config) => Value(config, "enable_mem_arena", Switches, true);

    /// <summary>A model that names its own thread counts gets its own threads; the others share the environment's.</summary>
    private static void SetThreads(SessionOptions options, ModelConfig config)
    {
        var intra = ThreadCount(config, "intra_op_thread_count");
        var inter = ThreadCount(config, "inter_op_thread_count");
        if (intra == 0 && inter == 0)
        {
            options.DisablePerSessionThreads();
            return;
        }

        options.IntraOpNumThreads = intra;
        options.InterOpNumThreads = inter;
    }

    private static int ThreadCount(ModelConfig config, string parameter)
    {
        if (!config.Parameters.TryGetValue(parameter, out var text))
        {
            return 0;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 1024
            ? count
            : throw Unfit(config, parameter, "a whole number from 0 to 1024", text);
    }

    private static GraphOptimizationLevel ConfiguredLevel(ModelConfig config) => config.Message.Optimization?.Graph?.Level switch
    {
        null or 0 => GraphOptimizationLevel.ORT_ENABLE_ALL,
        -1 => GraphOptimizationLevel.ORT_ENABLE_BASIC,
        1 => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        2 => GraphOptimizationLevel.ORT_DISABLE_ALL,
        { } level => throw new InferenceException(
            ErrorCode.InvalidArgument, $"optimization.graph.level of model '{config.Name}' must be -1, 0, 1 or 2, got {level}"),
    };

    public static T Value<T>(ModelConfig config, string parameter, Dictionary<string, T> values, T otherwise)
    {
        if (!config.Parameters.TryGetValue(parameter, out var text))
        {
            return otherwise;
        }

        return values.TryGetValue(text, out var value) ? value : throw Unfit(config, parameter, "one of " + string.Join(", ", values.Keys), text);
    }

    private static void Add(ModelConfig config, string key, string value, Action<string, string> add)
    {
        try
        {
            add(key, value);
        }
        catch (OnnxRuntimeException exception)
        {
            throw Unfit(config, key, $"a value that ONNX Runtime takes ({exception.Message})", value);
        }
    }

    public static InferenceException Unfit(ModelConfig config, string parameter, string expected, string value)
        => new(ErrorCode.InvalidArgument, $"parameter '{parameter}' of model '{config.Name}' must be {expected}, got '{value}'");
}
