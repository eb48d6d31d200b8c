using Runtime.Host.Nvcf;
using Runtime.Host.SharedMemory;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>What reading a request's body takes from outside it.</summary>
/// <param name="Model">The model's configuration.</param>
/// <param name="Regions">The shared memory that inputs and outputs may name.</param>
/// <param name="MaxInputSize">Bytes that a tensor may have.</param>
/// <param name="AllowsHalfPrecision">Whether FP16 and BF16 may be JSON numbers.</param>
/// <param name="BinarySize">The bytes that follow the JSON, or the most that may.</param>
/// <param name="Assets">The assets that inputs may name; null for a request that did not come through the platform.</param>
internal readonly record struct InferContext(ModelConfig Model, SharedMemoryRegions Regions, long MaxInputSize, bool AllowsHalfPrecision, long BinarySize = 0, AssetInputs? Assets = null);
