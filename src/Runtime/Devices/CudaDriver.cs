using System.Runtime.InteropServices;

namespace Runtime.Devices;

/// <summary>
/// CUDA's driver library, which every driver brings: no toolkit is needed, and its primary contexts are those that ONNX
/// Runtime and libtorch use through the runtime library. The functions bear NVIDIA's names without <c>cu</c>.
/// </summary>
internal sealed unsafe class CudaDriver
{
    public const int Success = 0;
    public const int NoDevice = 100;

    public readonly delegate* unmanaged<uint, int> Init;
    public readonly delegate* unmanaged<int*, int> DeviceGetCount;
    public readonly delegate* unmanaged<int*, int, int> DeviceGet;
    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName;
    public readonly delegate* unmanaged<byte*, int, int> DeviceGetUuid;
    public readonly delegate* unmanaged<nuint*, int, int> DeviceTotalMem;
    public readonly delegate* unmanaged<nint*, int, int> PrimaryCtxRetain;
    public readonly delegate* unmanaged<nint, int> CtxPushCurrent;
    public readonly delegate* unmanaged<nint*, int> CtxPopCurrent;
    public readonly delegate* unmanaged<nint*, nuint, int> MemAlloc;
    public readonly delegate* unmanaged<nint, int> MemFree;
    public readonly delegate* unmanaged<nint*, nuint, uint, int> MemHostAlloc;
    public readonly delegate* unmanaged<nint, int> MemFreeHost;
    public readonly delegate* unmanaged<nuint*, nuint*, int> MemGetInfo;
    public readonly delegate* unmanaged<nint*, nuint*, nint, int> MemGetAddressRange;
    public readonly delegate* unmanaged<nint, void*, nuint, nint, int> MemcpyHtoDAsync;
    public readonly delegate* unmanaged<void*, nint, nuint, nint, int> MemcpyDtoHAsync;
    public readonly delegate* unmanaged<nint, nint, nuint, nint, int> MemcpyDtoDAsync;
    public readonly delegate* unmanaged<nint*, uint, int> StreamCreate;
    public readonly delegate* unmanaged<nint, int> StreamSynchronize;
    public readonly delegate* unmanaged<nint*, IpcHandle, uint, int> IpcOpenMemHandle;
    public readonly delegate* unmanaged<nint, int> IpcCloseMemHandle;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorName;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorString;

    /// <param name="handle">The library, loaded.</param>
    /// <exception cref="EntryPointNotFoundException">It lacks a function, as a very old driver does.</exception>
    public CudaDriver(nint handle)
    {
        nint Get(string name) => NativeLibrary.GetExport(handle, name);
        Init = (delegate* unmanaged<uint, int>)Get("cuInit");
        DeviceGetCount = (delegate* unmanaged<int*, int>)Get("cuDeviceGetCount");
        DeviceGet = (delegate* unmanaged<int*, int, int>)Get("cuDeviceGet");
        DeviceGetName = (delegate* unmanaged<byte*, int, int, int>)Get("cuDeviceGetName");
        DeviceGetUuid = (delegate* unmanaged<byte*, int, int>)Get("cuDeviceGetUuid_v2");
        DeviceTotalMem = (delegate* unmanaged<nuint*, int, int>)Get("cuDeviceTotalMem_v2");
        PrimaryCtxRetain = (delegate* unmanaged<nint*, int, int>)Get("cuDevicePrimaryCtxRetain");
        CtxPushCurrent = (delegate* unmanaged<nint, int>)Get("cuCtxPushCurrent_v2");
        CtxPopCurrent = (delegate* unmanaged<nint*, int>)Get("cuCtxPopCurrent_v2");
        MemAlloc = (delegate* unmanaged<nint*, nuint, int>)Get("cuMemAlloc_v2");
        MemFree = (delegate* unmanaged<nint, int>)Get("cuMemFree_v2");
        MemHostAlloc = (delegate* unmanaged<nint*, nuint, uint, int>)Get("cuMemHostAlloc");
        MemFreeHost = (delegate* unmanaged<nint, int>)Get("cuMemFreeHost");
        MemGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)Get("cuMemGetInfo_v2");
        MemGetAddressRange = (delegate* unmanaged<nint*, nuint*, nint, int>)Get("cuMemGetAddressRange_v2");
        MemcpyHtoDAsync = (delegate* unmanaged<nint, void*, nuint, nint, int>)Get("cuMemcpyHtoDAsync_v2");
        MemcpyDtoHAsync = (delegate* unmanaged<void*, nint, nuint, nint, int>)Get("cuMemcpyDtoHAsync_v2");
        MemcpyDtoDAsync = (delegate* unmanaged<nint, nint, nuint, nint, int>)Get("cuMemcpyDtoDAsync_v2");
        StreamCreate = (delegate* unmanaged<nint*, uint, int>)Get("cuStreamCreate");
        StreamSynchronize = (delegate* unmanaged<nint, int>)Get("cuStreamSynchronize");
        IpcOpenMemHandle = (delegate* unmanaged<nint*, IpcHandle, uint, int>)Get("cuIpcOpenMemHandle_v2");
        IpcCloseMemHandle = (delegate* unmanaged<nint, int>)Get("cuIpcCloseMemHandle");
        _getErrorName = (delegate* unmanaged<int, byte**, int>)Get("cuGetErrorName");
        _getErrorString = (delegate* unmanaged<int, byte**, int>)Get("cuGetErrorString");
    }

    /// <summary>The result as CUDA names and describes it: <c>CUDA_ERROR_OUT_OF_MEMORY (out of memory)</c>.</summary>
    public string Text(int result)
    {
        byte* name;
        byte* text;
        return _getErrorName(result, &name) == Success && _getErrorString(result, &text) == Success
            ? $"{Marshal.PtrToStringUTF8((nint)name)} ({Marshal.PtrToStringUTF8((nint)text)})"
            : $"CUDA error {result}";
    }

    /// <summary>A handle to another process's memory, which the function takes by value.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct IpcHandle
    {
        public const int Size = 64;

        private fixed byte _reserved[Size];

        /// <summary>Reads the bytes that the other process sent.</summary>
        public static IpcHandle From(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<IpcHandle>(bytes);
    }
}
