using Runtime.Host.SharedMemory;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>The part of an input's or output's parameters that names shared memory.</summary>
internal struct RegionJson
{
    private string? _name;
    private ulong _offset;
    private ulong _byteSize;

    public readonly bool IsNamed => _name is not null;

    /// <summary>Reads the parameter whose name is current, if it is one of these.</summary>
    public bool TryRead(ref JsonCursor cursor)
    {
        if (_name is null && cursor.Is("shared_memory_region"u8))
        {
            cursor.Read();
            _name = cursor.GetString("shared_memory_region");
        }
        else if (cursor.Is("shared_memory_offset"u8))
        {
            cursor.Read();
            _offset = cursor.GetUint64("shared_memory_offset");
        }
        else if (cursor.Is("shared_memory_byte_size"u8))
        {
            cursor.Read();
            _byteSize = cursor.GetUint64("shared_memory_byte_size");
        }
        else
        {
            return false;
        }

        return true;
    }

    /// <summary>The memory that is named, until it is disposed.</summary>
    /// <exception cref="InferenceException">There is no such memory.</exception>
    public readonly IRegionLease Map(SharedMemoryRegions regions)
    {
        var error = regions.TryMap(_name!, _offset, _byteSize, out var lease);
        return error is null ? lease! : throw new InferenceException(error);
    }
}
