using System.Buffers;

namespace Runtime.Torch;

/// <summary>The bytes of a returned tensor; whoever holds the outputs keeps them alive.</summary>
internal sealed unsafe class TorchMemory(byte* address, int length) : MemoryManager<byte>
{
    private readonly byte* _address = address;

    public override Span<byte> GetSpan() => new(_address, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
