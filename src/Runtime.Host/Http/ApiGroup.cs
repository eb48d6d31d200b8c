namespace Runtime.Host.Http;

/// <summary>The parts of the protocols that can be restricted, in Triton's naming with dashes: <c>model-config</c>.</summary>
public enum ApiGroup
{
    Health,
    Metadata,
    Inference,
    SharedMemory,
    ModelConfig,
    ModelRepository,
    Statistics,
    Trace,
    Logging,
}
