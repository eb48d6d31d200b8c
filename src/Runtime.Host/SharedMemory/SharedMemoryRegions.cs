using Runtime.Inference;

namespace Runtime.Host.SharedMemory;

/// <summary>One registered region of POSIX shared memory: <see cref="ByteSize"/> bytes from <see cref="Offset"/> of the object <see cref="Key"/>.</summary>
public sealed record SharedMemoryRegion(string Name, string Key, ulong Offset, ulong ByteSize);

/// <summary>The system shared memory that clients registered. A region stays mapped while a request uses it. Thread-safe.</summary>
public sealed class SharedMemoryRegions : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <param name="allowed">Whether clients may register regions, the setting <c>allow-client-shm</c>.</param>
    public SharedMemoryRegions(bool allowed = false) => Disabled = allowed
        ? null
        : InferenceError.Unsupported("Client shared memory is disabled. Start the server with '--allow-client-shm=true' to enable.");

    /// <summary>Why every registration, of system and of CUDA memory, is refused; null where clients may register.</summary>
    public InferenceError? Disabled { get; }

    /// <summary>Maps a region; or why it cannot be.</summary>
    public InferenceError? TryRegister(SharedMemoryRegion region)
    {
        if (Disabled is not null)
        {
            return Disabled;
        }

        if (region.Name.Length == 0)
        {
            return InferenceError.InvalidArgument("'region name' is necessary to register system shared memory region");
        }

        lock (_gate)
        {
            if (_entries.ContainsKey(region.Name))
            {
                return new InferenceError(ErrorCode.AlreadyExists, $"shared memory region '{region.Name}' already in manager");
            }

            var error = TryMapObject(region, out var source);
            if (source is not null)
            {
                _entries.Add(region.Name, new Entry(region, source));
            }

            return error;
        }
    }

    /// <summary>Forgets one region, or all of them when the name is empty; null also when there is none of that name.</summary>
    public InferenceError? TryUnregister(string name)
    {
        if (Disabled is not null)
        {
            return Disabled;
        }

        lock (_gate)
        {
            foreach (var entry in _entries.Values.Where(entry => name.Length == 0 || entry.Region.Name == name).ToArray())
            {
                _entries.Remove(entry.Region.Name);
                entry.Source.Release();
            }
        }

        return null;
    }

    /// <summary>All regions by name, or the one of that name, or why there is none.</summary>
    public InferenceError? TryList(string name, out IReadOnlyList<SharedMemoryRegion> regions)
    {
        lock (_gate)
        {
            regions = [.. _entries.Values.Select(entry => entry.Region).Where(region => name.Length == 0 || region.Name == name)];
        }

        return name.Length > 0 && regions.Count == 0 ? InferenceError.NotFound($"Unable to find system shared memory region: '{name}'") : null;
    }

    /// <summary>Bytes inside a region, valid until <paramref name="lease"/> is disposed; or why not. Add the lease to the tensor set that shows the memory, as its owner.</summary>
    /// <remarks>Memory whose owner shrinks it afterwards, while it is used, is lost with the process: nothing but the owner can prevent that.</remarks>
    public InferenceError? TryMap(string name, ulong offset, ulong byteSize, out Memory<byte> memory, out IDisposable? lease)
    {
        (memory, lease) = (default, null);
        lock (_gate)
        {
            if (!_entries.TryGetValue(name, out var entry))
            {
                return InferenceError.NotFound($"Unable to find shared memory region: '{name}'");
            }

            var (region, source) = entry;
            if (offset > region.ByteSize || byteSize > region.ByteSize - offset || byteSize > int.MaxValue)
            {
                return InferenceError.InvalidArgument(
                    $"Invalid offset + byte size for shared memory region: '{name}': offset {offset} and byte size {byteSize} in a region of {region.ByteSize} bytes");
            }

            // Touching pages beyond the object's end would kill the process.
            if (source.Length < region.Offset + region.ByteSize)
            {
                return InferenceError.InvalidArgument(
                    $"shared memory region '{name}' needs {region.Offset + region.ByteSize} bytes of '{region.Key}', which has shrunk to {source.Length}");
            }

            var manager = new SharedMemoryLease(source, offset, (int)byteSize);
            (memory, lease) = (manager.Memory, manager);
            return null;
        }
    }

    /// <summary>Forgets all regions; those in use stay mapped until their leases are disposed.</summary>
    public void Dispose() => TryUnregister("");

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

    private readonly record struct Entry(SharedMemoryRegion Region, SharedMemoryObject Source);
}
