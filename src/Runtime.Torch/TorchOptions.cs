namespace Runtime.Torch;

/// <summary>libtorch's settings, which all models of the process share: the first model loaded fixes them.</summary>
public sealed record TorchOptions
{
    /// <summary>Threads that share the work inside one operator, for each instance; a model's own parameter can only ask for fewer.</summary>
    public int IntraOpThreadCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Takes warnings, on any thread, and must not throw; null drops them.</summary>
    public Action<string>? Log { get; init; }
}
