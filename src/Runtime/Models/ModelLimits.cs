namespace Runtime.Models;

/// <summary>How much of a model's capacity requests may take: the process's defaults, where the configuration does not say otherwise.</summary>
public sealed record ModelLimits
{
    public static ModelLimits Default { get; } = new();

    /// <summary>Requests that may wait in a queue whose policy gives no <c>max_queue_size</c>; 0 for any number.</summary>
    public int MaxQueueSize { get; init; } = 4096;
}
