using System.Runtime.InteropServices;

namespace Runtime.Torch.Interop;

/// <summary>What a function of the library returns.</summary>
internal enum NativeCode
{
    Ok = 0,
    Invalid = 1,
    NotFound = 2,
    OutOfMemory = 3,
    DeviceLost = 4,
    Internal = 5,
    Unsupported = 6,
}

/// <summary>What an argument takes or is given as, and what an output is.</summary>
internal enum NativeKind
{
    None = 0,
    Tensor = 1,
    OptionalTensor = 2,
    TensorList = 3,
    TensorDictionary = 4,
    StringList = 5,
    Other = 6,
}

/// <summary><c>rtt_error</c>: the code and UTF-8 text up to a zero byte.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeError
{
    public const int MessageBytes = 4096;

    public NativeCode Code;
    public fixed byte Message[MessageBytes];
}

/// <summary><c>rtt_text</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeText
{
    public byte* Data;
    public long Bytes;
}

/// <summary><c>rtt_tensor</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeTensor
{
    public byte* Name;
    public void* Data;
    public long Bytes;
    public long* Dims;
    public int Rank;
    public int Type;
    public int Device;
    public int Reserved;
}

/// <summary><c>rtt_argument</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeArgument
{
    public NativeKind Kind;
    public int Count;
    public NativeTensor* Tensors;
    public NativeText* Strings;
}

/// <summary><c>rtt_argument_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeArgumentInfo
{
    public byte* Name;
    public byte* Type;
    public NativeKind Kind;
    public int HasDefault;
}

/// <summary><c>rtt_output</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeOutput
{
    public NativeKind Kind;
    public int Index;
    public int Inner;
    public int Count;
    public NativeTensor Tensor;
    public NativeText* Strings;
}

/// <summary><c>rtt_load_options</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeLoadOptions
{
    public int Size;
    public int InferenceMode;
    public int OptimizedExecution;
    public int JitExecutor;
    public int JitProfiling;
    public int TensorFuser;
    public int Freeze;
    public int OptimizeForInference;
    public int PreservedCount;
    public int Reserved;
    public byte** Preserved;
}

/// <summary><c>rtt_run_options</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeRunOptions
{
    public int Size;
    public int OutputsOnDevice;
    public int IntraOpThreads;
    public int Reserved;
}
