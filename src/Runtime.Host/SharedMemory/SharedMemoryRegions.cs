using Runtime.Devices;
using Runtime.Inference;

namespace Runtime.Host.SharedMemory;

/// <summary>One registered region of POSIX shared memory: <see cref="ByteSize"/> bytes from <see cref="Offset"/> of the object <see cref="Key"/>.</summary>
public sealed record SharedMemoryRegion(string Name, string Key, ulong Offset, ulong ByteSize);

/// <summary>One registered region of a GPU's memory: the first <see cref="ByteSize"/> bytes of what another process shares.</summary>
public sealed record CudaMemoryRegion(string Name, long DeviceId, ulong ByteSize);

/// <summary>
/// The shared memory that clients registered, of the machine and of its GPUs, whose regions have no name in common. A region
/// stays open while a request uses it. Thread-safe.
/// </summary>
public sealed class SharedMemoryRegions : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Func<CudaDevices> _cuda;

    /// <param name="allowed">Whether clients may register regions, the setting <c>allow-client-shm</c>.</param>
    /// <param name="cuda">The GPUs, asked for when a region of one is to be registered; null for those of this machine.</param>
    public SharedMemoryRegions(bool allowed = false, Func<CudaDevices>? cuda = null)
    {
        _cuda = cuda ?? (static () => CudaDevices.Here);
        Disabled = allowed ? null : InferenceError.Unsupported("Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.");
    }

    /// <summary>Why every registration, of system and of CUDA memory, is refused; null where clients may register.</summary>
    public InferenceError? Disabled { get; }

    /// <summary>Maps a region; or why it cannot be.</summary>
    public InferenceError? TryRegister(SharedMemoryRegion region)
        => Disabled ?? TryAdd(region.Name, "system", () => TryMapObject(region, out var source) is { } error ? (null, error) : (new Entry(region, null, new SystemRegion(region, source!)), null));

    /// <summary>Opens a region of a GPU's memory by CUDA's handle of it; or says why it cannot be, which without GPUs is always.</summary>
    public InferenceError? TryRegister(CudaMemoryRegion region, ReadOnlyMemory<byte> handle)
        => NoGpus(region.Name) ?? Disabled
            ?? TryAdd(region.Name, "cuda", () => TryOpen(region, handle.Span, out var memory) is { } error ? (null, error) : (new Entry(null, region, memory!), null));

    /// <summary>Forgets one region of system memory, or all of them when the name is empty; null also when there is none of that name.</summary>
    public InferenceError? TryUnregister(string name) => Disabled ?? Remove(entry => entry.System is { } region && (name.Length == 0 || region.Name == name));

    /// <summary>Forgets one region of CUDA memory, or all of them.</summary>
    /// <inheritdoc cref="TryUnregister"/>
    public InferenceError? TryUnregisterCuda(string name) => Disabled ?? Remove(entry => entry.Cuda is { } region && (name.Length == 0 || region.Name == name));

    /// <summary>All regions of system memory by name, or the one of that name, or why there is none.</summary>
    public InferenceError? TryList(string name, out IReadOnlyList<SharedMemoryRegion> regions) => TryList(name, entry => entry.System, "system", out regions);

    /// <summary>All regions of CUDA memory by name, or the one of that name, or why there is none.</summary>
    public InferenceError? TryListCuda(string name, out IReadOnlyList<CudaMemoryRegion> regions) => TryList(name, entry => entry.Cuda, "cuda", out regions);

    /// <summary>Why no region of CUDA memory can be registered, in Triton's words; null where there is a GPU.</summary>
    internal InferenceError? NoGpus(string name)
        => _cuda().All.Count > 0 ? null : InferenceError.InvalidArgument($"failed to register CUDA shared memory region: '{name}', GPUs not supported");

    /// <summary>Whether the region is in a GPU's memory.</summary>
    internal bool IsOnGpu(string name)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(name, out var entry) && entry.Memory.Gpu is not null;
        }
    }

    /// <summary>Bytes inside a region, valid until the lease is disposed; or why not. A tensor set that shows its memory owns it.</summary>
    /// <remarks>Memory whose owner shrinks it afterwards, while it is used, is lost with the process: nothing but the owner can prevent that.</remarks>
    internal InferenceError? TryMap(string name, ulong offset, ulong byteSize, out IRegionLease? lease)
    {
        lease = null;
        lock (_gate)
        {
            if (!_entries.TryGetValue(name, out var entry))
            {
                return InferenceError.NotFound($"Unable to find shared memory region: '{name}'");
            }

            if (offset > entry.ByteSize || byteSize > entry.ByteSize - offset || byteSize > int.MaxValue)
            {
                return InferenceError.InvalidArgument(
                    $"Invalid offset + byte size for shared memory region: '{name}': offset {offset} and byte size {byteSize} in a region of {entry.ByteSize} bytes");
            }

            if (entry.Memory.Refusal() is { } refusal)
            {
                return InferenceError.InvalidArgument(refusal);
            }

            lease = entry.Memory.Lease(offset, (int)byteSize);
            return null;
        }
    }

    /// <summary>Forgets all regions; those in use stay open until their leases are disposed.</summary>
    public void Dispose() => Remove(static _ => true);

    private InferenceError? TryAdd(string name, string kind, Func<(Entry? Entry, InferenceError? Error)> open)
    {
        if (name.Length == 0)
        {
            return InferenceError.InvalidArgument($"'region name' is necessary to register {kind} shared memory region");
        }

        lock (_gate)
        {
            if (_entries.ContainsKey(name))
            {
                return new InferenceError(ErrorCode.AlreadyExists, $"shared memory region '{name}' already in manager");
            }

            var (entry, error) = open();
            if (entry is not null)
            {
                _entries.Add(name, entry);
            }

            return error;
        }
    }

    private InferenceError? Remove(Func<Entry, bool> isWanted)
    {
        lock (_gate)
        {
            foreach (var (name, entry) in _entries.Where(known => isWanted(known.Value)).ToArray())
            {
                _entries.Remove(name);
                entry.Memory.Release();
            }
        }

        return null;
    }

    private InferenceError? TryList<T>(string name, Func<Entry, T?> select, string kind, out IReadOnlyList<T> regions)
        where T : class
    {
        lock (_gate)
        {
            regions = [.. _entries.Where(known => name.Length == 0 || known.Key == name).Select(known => select(known.Value)).OfType<T>()];
            if (name.Length == 0 || regions.Count > 0)
            {
                return null;
            }

            return InferenceError.NotFound(_entries.TryGetValue(name, out var other)
                ? $"The region named '{name}' is registered as {(other.System is null ? "CUDA" : "system")} shared memory, not {(other.System is null ? "system" : "CUDA")} shared memory"
                : $"Unable to find {kind} shared memory region: '{name}'");
        }
    }

    private InferenceError? TryOpen(CudaMemoryRegion region, ReadOnlySpan<byte> handle, out CudaRegion? memory)
    {
        memory = null;
        var failed = $"failed to register CUDA shared memory region '{region.Name}'";
        var cuda = _cuda();
        if (region.DeviceId is < 0 or > int.MaxValue || cuda.Find((int)region.DeviceId) is not { } device)
        {
            return InferenceError.InvalidArgument($"{failed}: there is no GPU {region.DeviceId}, this host has {cuda.All.Count}");
        }

        try
        {
            memory = new CudaRegion(device, device.OpenShared(handle, region.ByteSize));
            return null;
        }
        catch (InferenceException exception)
        {
            return exception.Error with { Code = exception.Error.IsPermanent ? exception.Error.Code : ErrorCode.InvalidArgument, Message = $"{failed}: {exception.Error.Message}" };
        }
    }

    private static InferenceError? TryMapObject(SharedMemoryRegion region, out SharedMemoryObject? source)
    {
        source = null;
        var file = SharedMemoryObject.TryOpen(region.Key);
        if (file is null)
        {
            return InferenceError.InvalidArgument($"Unable to open shared memory region: '{region.Key}'");
        }

        var failed = $"failed to register shared memory region '{region.Name}'";
        if (!SharedMemoryObject.TryGetLength(file, out var length) || region.Offset > length || region.ByteSize > length - region.Offset)
        {
            file.Dispose();
            return InferenceError.InvalidArgument(
                $"{failed}: invalid args: offset {region.Offset} and byte size {region.ByteSize} do not fit the {length} bytes of '{region.Key}'");
        }

        source = SharedMemoryObject.TryMap(file, region.Offset, region.ByteSize, out var reason);
        if (source is not null)
        {
            return null;
        }

        file.Dispose();
        return InferenceError.InvalidArgument(
            $"{failed}: unable to process address space: {reason} (the offset {region.Offset} must be a multiple of {Environment.SystemPageSize}, the byte size {region.ByteSize} at least 1)");
    }

    /// <summary>A region of either kind, and its memory.</summary>
    private sealed record Entry(SharedMemoryRegion? System, CudaMemoryRegion? Cuda, IRegionMemory Memory)
    {
        public ulong ByteSize => System?.ByteSize ?? Cuda!.ByteSize;
    }
}
