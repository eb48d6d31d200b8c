using System.Buffers;
using Runtime.Devices;
using Runtime.Tensors;

namespace Runtime.Host.SharedMemory;

/// <summary>Bytes of a region that one request uses: keeps them mapped until it is disposed.</summary>
internal sealed unsafe class SharedMemoryLease : ForeignMemory, IRegionLease
{
    private readonly byte* _start;
    private readonly int _length;
    private SharedMemoryObject? _source;

    public SharedMemoryLease(SharedMemoryObject source, ulong offset, int length)
    {
        source.AddReference();
        _source = source;
        _start = source.Address + offset;
        _length = length;
    }

    public Device? Gpu => null;

    public void Write(ReadOnlyMemory<byte> source) => source.CopyTo(Memory);

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_source is null, this);
        return new Span<byte>(_start, _length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_source is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        return new MemoryHandle(_start + elementIndex);
    }

    public override void Unpin()
    {
        // Native memory does not move.
    }

    public void Dispose() => Dispose(disposing: true);

    protected override void Dispose(bool disposing) => Interlocked.Exchange(ref _source, null)?.Release();
}
