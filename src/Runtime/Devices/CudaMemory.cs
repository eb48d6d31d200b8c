using System.Buffers;

namespace Runtime.Devices;

/// <summary>Bytes in a GPU's memory, written before this was made. The host's copy of them is made once, by whoever reads first.</summary>
/// <param name="device">The GPU.</param>
/// <param name="address">Where they begin.</param>
/// <param name="length">How many they are.</param>
/// <param name="owner">Frees them, and is disposed with this; null where somebody else does.</param>
public sealed class CudaMemory(CudaDevice device, nint address, int length, IDisposable? owner = null) : DeviceMemory
{
    private readonly Lock _gate = new();
    private IMemoryOwner<byte>? _copy;
    private int _isDisposed;

    public override Device Device => device.Device;

    public override nint Address => address;

    public override int Length => length;

    public override void CopyToHost() => _ = Copy();

    public override Span<byte> GetSpan() => Copy().Span[..length];

    public override MemoryHandle Pin(int elementIndex = 0) => Copy()[elementIndex..].Pin();

    public override void Unpin()
    {
    }

    /// <summary>Copies bytes to its start, of which there are no more than it has; from memory of the same GPU without a detour through the host.</summary>
    /// <exception cref="Inference.InferenceException">The GPU refuses, or the one that they are on.</exception>
    public void Write(ReadOnlyMemory<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, length, nameof(source));
        if (TryGet(source, out var start, out var size) is CudaMemory memory && memory.Device == Device)
        {
            device.Join([(memory.Address + start, size)], address);
            return;
        }

        device.CopyToDevice(source.Span, address);
    }

    /// <inheritdoc/>
    public override DeviceMemory? Join(IReadOnlyList<ReadOnlyMemory<byte>> parts)
    {
        var pieces = new (nint Source, int Length)[parts.Count];
        for (var i = 0; i < pieces.Length; i++)
        {
            var memory = TryGet(parts[i], out var start, out var size)!;
            pieces[i] = (memory.Address + start, size);
        }

        var bytes = pieces.Sum(static piece => (long)piece.Length);
        if (bytes > Array.MaxLength)
        {
            return null;
        }

        var joined = device.Allocate((int)bytes);
        try
        {
            device.Join(pieces, joined.Address);
            return joined;
        }
        catch
        {
            ((IDisposable)joined).Dispose();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _copy?.Dispose();
            owner?.Dispose();
        }
    }

    private Memory<byte> Copy()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
            if (_copy is null)
            {
                var copy = device.PageLocked.Rent(length);
                try
                {
                    device.CopyToHost(address, copy.Memory.Span[..length]);
                }
                catch
                {
                    copy.Dispose();
                    throw;
                }

                _copy = copy;
            }

            return _copy.Memory;
        }
    }
}
