using Runtime.Inference;

namespace Runtime.Devices;

/// <summary>What CUDA's errors mean for a request and for the process. The driver's numbers are the runtime library's too.</summary>
public static class CudaErrors
{
    private const int OutOfMemory = 2;

    /// <summary>
    /// Errors after which every further call of the process fails, by CUDA's documentation of its error codes, and by name the
    /// one in the driver's library and the one in the runtime library.
    /// </summary>
    private static readonly Dictionary<int, string[]> Sticky = new()
    {
        [46] = ["DEVICE_UNAVAILABLE", "DevicesUnavailable"],
        [214] = ["ECC_UNCORRECTABLE", "ECCUncorrectable"],
        [220] = ["NVLINK_UNCORRECTABLE", "NvlinkUncorrectable"],
        [226] = ["CONTAINED", "Contained"],
        [700] = ["ILLEGAL_ADDRESS", "IllegalAddress"],
        [702] = ["LAUNCH_TIMEOUT", "LaunchTimeout"],
        [709] = ["CONTEXT_IS_DESTROYED", "ContextIsDestroyed"],
        [710] = ["ASSERT", "Assert"],
        [714] = ["HARDWARE_STACK_ERROR", "HardwareStackError"],
        [715] = ["ILLEGAL_INSTRUCTION", "IllegalInstruction"],
        [716] = ["MISALIGNED_ADDRESS", "MisalignedAddress"],
        [717] = ["INVALID_ADDRESS_SPACE", "InvalidAddressSpace"],
        [718] = ["INVALID_PC", "InvalidPc"],
        [719] = ["LAUNCH_FAILED", "LaunchFailure"],
        [721] = ["TENSOR_MEMORY_LEAK", "TensorMemoryLeak"],
        [810] = ["MPS_CLIENT_TERMINATED", "MpsClientTerminated"],
        [911] = ["EXTERNAL_DEVICE", "ExternalDevice"],
    };

    /// <summary>Whether an error of that number leaves nothing but to end the process.</summary>
    public static bool IsSticky(int number) => Sticky.ContainsKey(number);

    /// <summary>Whether a library's message names such an error, as <c>CUDA_ERROR_ILLEGAL_ADDRESS</c> or <c>cudaErrorIllegalAddress</c>.</summary>
    public static bool NamesSticky(string message) => Sticky.Values.Any(names =>
        message.Contains("CUDA_ERROR_" + names[0], StringComparison.Ordinal) || message.Contains("cudaError" + names[1], StringComparison.Ordinal));

    /// <summary>The exception for a result of the driver's library: what was tried, and what CUDA said.</summary>
    internal static InferenceException Exception(int result, string text, string action) => new(new InferenceError(
        result == OutOfMemory ? ErrorCode.Unavailable : ErrorCode.Internal, $"{action} failed: {text}")
    {
        IsPermanent = IsSticky(result),
    });
}
