namespace Runtime.Onnx;

/// <summary>ONNX Runtime's settings, which all models of the process share: the first backend made fixes them.</summary>
public sealed record OnnxOptions
{
    /// <summary>Threads that share the work inside one operator, for all models together.</summary>
    public int IntraOpThreadCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Threads that run operators side by side, for all models with <c>execution_mode</c> 1 together.</summary>
    public int InterOpThreadCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether threads without work spin for a while before they sleep.</summary>
    public bool AllowSpinning { get; init; } = true;

    /// <summary>ONNX Runtime's library for CUDA where it is not part of it; null looks beside the application.</summary>
    public string? CudaLibrary { get; init; }

    /// <summary>Bytes of a GPU's memory that a session may take where its model does not say; 0 for no limit.</summary>
    public long GpuMemoryLimit { get; init; }

    /// <summary>How convolutions find their algorithm on a GPU where the model does not say: EXHAUSTIVE, HEURISTIC or DEFAULT.</summary>
    public string CudnnConvAlgorithmSearch { get; init; } = "HEURISTIC";

    /// <summary>Takes ONNX Runtime's warnings and errors, on any thread, and must not throw; null drops them.</summary>
    public Action<string>? Log { get; init; }
}
