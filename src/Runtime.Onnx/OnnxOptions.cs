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

    /// <summary>Takes ONNX Runtime's warnings and errors, on any thread, and must not throw; null drops them.</summary>
    public Action<string>? Log { get; init; }
}
