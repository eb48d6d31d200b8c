using System.Buffers;
using System.Runtime.InteropServices;

namespace Runtime.Devices;

/// <summary>
/// Bytes of a tensor that lie in a GPU's memory. Who reads the span gets a copy in host memory, made on the first reading
/// and kept; who knows of devices asks <see cref="TryGet"/> and goes without.
/// </summary>
public abstract class DeviceMemory : MemoryManager<byte>
{
    /// <summary>The GPU whose memory it is.</summary>
    public abstract Device Device { get; }

    /// <summary>The address on the device, valid until this is disposed.</summary>
    public abstract nint Address { get; }

    public abstract int Length { get; }

    /// <summary>Whether others may write to it while a request uses it, as to <see cref="Tensors.ForeignMemory"/>.</summary>
    public bool IsForeign { get; init; }

    public override Memory<byte> Memory => CreateMemory(Length);

    /// <summary>Makes the copy in host memory now, so that no later reading can fail.</summary>
    /// <exception cref="Inference.InferenceException">The device refuses; the message says why.</exception>
    public abstract void CopyToHost();

    /// <summary>Parts that all lie on this memory's device, one behind the other in new memory there, without a detour through the host; null where that cannot be.</summary>
    /// <exception cref="Inference.InferenceException">The device refuses; the message says why.</exception>
    public virtual DeviceMemory? Join(IReadOnlyList<ReadOnlyMemory<byte>> parts) => null;

    /// <summary>The device's memory behind these bytes, and their place in it; null for host memory. Copies nothing.</summary>
    public static DeviceMemory? TryGet(ReadOnlyMemory<byte> data, out int start, out int length)
        => MemoryMarshal.TryGetMemoryManager(data, out DeviceMemory? memory, out start, out length) ? memory : null;
}
