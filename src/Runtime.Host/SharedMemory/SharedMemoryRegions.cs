using Runtime.Inference;

namespace Runtime.Host.SharedMemory;

/// <summary>One registered region of POSIX shared memory: <see cref="ByteSize"/> bytes from <see cref="Offset"/> of the object <see cref="Key"/>.</summary>
public sealed record SharedMemoryRegion(string Name, string Key, ulong Offset, ulong ByteSize);

/// <summary>The system shared memory that clients registered. A region stays mapped while a request uses it.</summary>
public sealed class SharedMemoryRegions
{
    /// <summary>Maps a region; or why it cannot be.</summary>
    public InferenceError? TryRegister(SharedMemoryRegion region) => throw new NotSupportedException();

    /// <summary>Forgets one region, or all of them when the name is empty; null also when there is none of that name.</summary>
    public InferenceError? TryUnregister(string name) => throw new NotSupportedException();

    /// <summary>All regions by name, or the one of that name, or why there is none.</summary>
    public InferenceError? TryList(string name, out IReadOnlyList<SharedMemoryRegion> regions) => throw new NotSupportedException();

    /// <summary>Bytes inside a region, valid until <paramref name="lease"/> is disposed; or why not. Add the lease to the tensor set that shows the memory, as its owner.</summary>
    public InferenceError? TryMap(string name, ulong offset, ulong byteSize, out Memory<byte> memory, out IDisposable? lease) => throw new NotSupportedException();
}
