using Runtime.Devices;

namespace Runtime.Host.SharedMemory;

/// <summary>The memory behind a registered region: open until it is released and the last of its leases disposed.</summary>
internal interface IRegionMemory
{
    /// <summary>The GPU that it is on; null for memory of the machine.</summary>
    Device? Gpu { get; }

    /// <summary>Why it cannot be used now; null where it can.</summary>
    string? Refusal();

    /// <summary>A piece that lies inside; only before the release.</summary>
    IRegionLease Lease(ulong offset, int length);

    void Release();
}

/// <summary>A piece of a region that one request uses, as an input's bytes or as the place of an output.</summary>
internal interface IRegionLease : IDisposable
{
    /// <summary>The GPU that it is on; null for memory of the machine.</summary>
    Device? Gpu { get; }

    /// <summary>The bytes, valid until this is disposed. Those on a GPU are copied for whoever reads them here, once.</summary>
    Memory<byte> Memory { get; }

    /// <summary>Copies bytes to its start, of which there are no more than it has room for; from a GPU's memory without a detour where they are on the same.</summary>
    /// <exception cref="Inference.InferenceException">A GPU refuses.</exception>
    void Write(ReadOnlyMemory<byte> source);
}
