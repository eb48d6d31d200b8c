using Runtime.Devices;

namespace Runtime.Host.SharedMemory;

/// <summary>A region of POSIX shared memory, mapped.</summary>
internal sealed class SystemRegion(SharedMemoryRegion region, SharedMemoryObject source) : IRegionMemory
{
    public Device? Gpu => null;

    /// <summary>Touching pages beyond the object's end would kill the process.</summary>
    public string? Refusal() => source.Length < region.Offset + region.ByteSize
        ? $"shared memory region '{region.Name}' needs {region.Offset + region.ByteSize} bytes of '{region.Key}', which has shrunk to {source.Length}"
        : null;

    public IRegionLease Lease(ulong offset, int length) => new SharedMemoryLease(source, offset, length);

    public void Release() => source.Release();
}
