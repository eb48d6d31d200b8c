using System.Buffers;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Devices;

/// <summary>Lends page-locked host memory; memory of the process's pool, which does not move either, where the system locks no more pages.</summary>
internal sealed class PageLockedPool(BlockPool blocks) : MemoryPool<byte>
{
    public override int MaxBufferSize => Array.MaxLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        var length = Math.Max(minBufferSize, 1);
        try
        {
            return new PageLockedMemory(blocks.Take(length), length);
        }
        catch (InferenceException exception) when (!exception.Error.IsPermanent)
        {
            return new PooledMemory(length);
        }
    }

    protected override void Dispose(bool disposing)
    {
    }

    /// <summary>Memory of exactly the length that was asked for.</summary>
    private sealed unsafe class PageLockedMemory(BlockPool.Block block, int length) : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(length);

        public override Span<byte> GetSpan() => new((byte*)block.Address, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)block.Address + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => block.Dispose();
    }

    private sealed class PooledMemory(int length) : IMemoryOwner<byte>
    {
        private byte[]? _array = TensorPool.Shared.Rent(length);

        public Memory<byte> Memory => _array.AsMemory(0, length);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _array, null) is { } array)
            {
                TensorPool.Shared.Return(array);
            }
        }
    }
}
