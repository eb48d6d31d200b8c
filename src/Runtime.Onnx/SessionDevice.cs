using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>Where a session runs, as its bindings see it: ONNX Runtime's name for the memory there, and memory of the host that is copied fast.</summary>
internal sealed class SessionDevice(CudaDevice? gpu) : IDisposable
{
    /// <summary>ONNX Runtime's own arena aligns so, and kernels read vectors from where a tensor begins.</summary>
    private const int Alignment = 256;

    /// <summary>Null on the CPU.</summary>
    public CudaDevice? Gpu => gpu;

    /// <summary>The GPU's memory; null on the CPU.</summary>
    public OrtMemoryInfo? Memory { get; } = gpu is null
        ? null
        : new OrtMemoryInfo(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.DeviceAllocator, gpu.Number, OrtMemType.Default);

    /// <summary>Page-locked memory; null on the CPU.</summary>
    public MemoryPool<byte>? HostMemory => gpu?.PageLocked;

    /// <summary>Whether an execution of these is to touch the GPU's memory only: some of them lie there, or its outputs may stay there.</summary>
    public bool IsDirect(TensorSet inputs)
    {
        if (gpu is null || inputs.AllowsDeviceOutputs)
        {
            return gpu is not null;
        }

        foreach (var input in inputs.Tensors)
        {
            if (Holds(input.Data))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The address of bytes that lie in this GPU's memory, in a copy there if they do not begin where tensors may; 0 for others.</summary>
    public nint AddressOf(Tensor tensor, TensorSet scratch)
    {
        if (tensor.Data.IsEmpty || !Holds(tensor.Data))
        {
            return 0;
        }

        var memory = DeviceMemory.TryGet(tensor.Data, out var start, out _)!;
        var address = memory.Address + start;
        if (address % Alignment == 0 || memory.Join([tensor.Data]) is not { } copy)
        {
            return address;
        }

        scratch.Add(tensor, copy);
        return copy.Address;
    }

    public void Dispose() => Memory?.Dispose();

    private bool Holds(ReadOnlyMemory<byte> data) => gpu is not null && DeviceMemory.TryGet(data, out _, out _)?.Device == gpu.Device;
}
