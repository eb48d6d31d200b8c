using System.Buffers;
using Microsoft.ML.OnnxRuntime;

namespace Runtime.Onnx;

/// <summary>The bytes of a tensor that ONNX Runtime allocated, which are freed with this.</summary>
internal sealed unsafe class OrtMemory : MemoryManager<byte>, IDisposable
{
    private readonly OrtValue _value;
    private readonly byte* _address;
    private readonly int _length;

    /// <summary>Takes over the value, a tensor of at most 2 GiB without strings.</summary>
    public OrtMemory(OrtValue value)
    {
        _value = value;
        var data = value.GetTensorMutableRawData();
        _length = data.Length;
        fixed (byte* address = data)
        {
            _address = address;
        }
    }

    public void Dispose() => _value.Dispose();

    public override Span<byte> GetSpan() => new(_address, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_address + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _value.Dispose();
        }
    }
}
