using Runtime.Devices;

namespace Runtime.Host.SharedMemory;

/// <summary>A region of a GPU's memory that another process shares.</summary>
internal sealed class CudaRegion(CudaDevice device, SharedCudaMemory memory) : IRegionMemory
{
    private int _references = 1;

    public Device? Gpu => device.Device;

    public string? Refusal() => null;

    public IRegionLease Lease(ulong offset, int length)
    {
        Interlocked.Increment(ref _references);
        return new Piece(this, memory.Slice((long)offset, length, new Reference(this)));
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            memory.Dispose();
        }
    }

    /// <summary>Each has a copy in host memory of its own, since clients change what is in the region between requests.</summary>
    private sealed class Piece(CudaRegion region, CudaMemory piece) : IRegionLease
    {
        public Device? Gpu => region.Gpu;

        public Memory<byte> Memory => piece.Memory;

        public void Write(ReadOnlyMemory<byte> source) => piece.Write(source);

        public void Dispose() => ((IDisposable)piece).Dispose();
    }

    private sealed class Reference(CudaRegion region) : IDisposable
    {
        public void Dispose() => region.Release();
    }
}
