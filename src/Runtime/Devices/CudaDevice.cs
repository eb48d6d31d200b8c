using System.Buffers;
using System.Runtime.InteropServices;
using Runtime.Inference;

namespace Runtime.Devices;

/// <summary>
/// One GPU: its memory, and copies to, from and within it. Copies are done when the call returns. Its context, which takes
/// some hundred MB of the GPU's memory, is made on first use and is the one that ONNX Runtime and libtorch use. Thread-safe.
/// </summary>
public sealed unsafe class CudaDevice
{
    private const uint PortableMemory = 1;
    private const uint LazyPeerAccess = 1;
    private const long MostKeptBytes = 256 << 20;

    private readonly CudaDriver _driver;
    private readonly int _handle;
    private readonly CudaContext _context;
    private readonly BlockPool _blocks;
    private readonly BlockPool _pageLocked;

    internal CudaDevice(CudaDriver driver, int number)
    {
        (_driver, Number) = (driver, number);
        int handle;
        var result = driver.DeviceGet(&handle, number);
        _handle = handle;
        _context = new CudaContext(driver, handle, Device);
        Check(result, "finding it");
        (Name, Uuid, TotalBytes) = (ReadName(), ReadUuid(), ReadTotal());
        _blocks = new BlockPool(AllocateBlock, FreeBlock, MostKeptBytes);
        _pageLocked = new BlockPool(AllocatePageLocked, FreePageLocked, MostKeptBytes);
        PageLocked = new PageLockedPool(_pageLocked);
    }

    public int Number { get; }

    public string Name { get; }

    /// <summary>As NVIDIA's tools write it, <c>GPU-…</c> with 32 hexadecimal digits; of a MIG slice its own digits.</summary>
    public string Uuid { get; }

    /// <summary>Bytes of its memory.</summary>
    public long TotalBytes { get; }

    public Device Device => new(Number);

    /// <summary>Host memory that the GPU reads and writes without a detour through the driver's own.</summary>
    public MemoryPool<byte> PageLocked { get; }

    /// <summary>Bytes of its memory that nobody has taken, over all processes.</summary>
    public long FreeBytes
    {
        get
        {
            nuint free;
            nuint total;
            using var current = _context.Enter();
            Check(_driver.MemGetInfo(&free, &total), "reading its free memory");
            return (long)free;
        }
    }

    /// <summary>New memory on the GPU, which is given back when it is disposed.</summary>
    /// <exception cref="InferenceException">The GPU has not as much left, or is broken.</exception>
    public CudaMemory Allocate(int length)
    {
        var block = _blocks.Take(length);
        return new CudaMemory(this, block.Address, length, block);
    }

    /// <summary>Opens memory that another process shares by CUDA's 64-byte handle; it is closed when this is disposed.</summary>
    /// <exception cref="InferenceException">The handle is not one of this GPU, it has fewer bytes, or the GPU is broken.</exception>
    public SharedCudaMemory OpenShared(ReadOnlySpan<byte> handle, ulong length)
    {
        if (handle.Length != CudaDriver.IpcHandle.Size)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"a CUDA memory handle has {CudaDriver.IpcHandle.Size} bytes, got {handle.Length}");
        }

        nint address;
        using var current = _context.Enter();
        Check(_driver.IpcOpenMemHandle(&address, CudaDriver.IpcHandle.From(handle), LazyPeerAccess), "opening shared memory");
        var opened = new OpenedMemory(this, address);
        try
        {
            CheckShared(address, length);
            return new SharedCudaMemory(this, address, opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>Reading beyond the other process's memory would end this one's context.</summary>
    private void CheckShared(nint address, ulong length)
    {
        nint start;
        nuint size;
        Check(_driver.MemGetAddressRange(&start, &size, address), "measuring shared memory");
        var there = (ulong)(start - address) + size;
        if (length == 0 || length > there)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"byte size {length} does not fit the {there} bytes that are shared");
        }
    }

    /// <summary>Copies to the GPU.</summary>
    /// <exception cref="InferenceException">The GPU is broken, or the address is not one of its memory.</exception>
    public void CopyToDevice(ReadOnlySpan<byte> source, nint target)
    {
        if (source.IsEmpty)
        {
            return;
        }

        fixed (byte* address = source)
        {
            using var copies = _context.BeginCopies();
            copies.Check(_driver.MemcpyHtoDAsync(target, address, (nuint)source.Length, copies.Stream));
            copies.Wait();
        }
    }

    /// <summary>Copies from the GPU.</summary>
    /// <inheritdoc cref="CopyToDevice"/>
    public void CopyToHost(nint source, Span<byte> target)
    {
        if (target.IsEmpty)
        {
            return;
        }

        fixed (byte* address = target)
        {
            using var copies = _context.BeginCopies();
            copies.Check(_driver.MemcpyDtoHAsync(address, source, (nuint)target.Length, copies.Stream));
            copies.Wait();
        }
    }

    /// <summary>Copies several pieces of its memory one behind the other.</summary>
    /// <inheritdoc cref="CopyToDevice"/>
    public void Join(ReadOnlySpan<(nint Source, int Length)> parts, nint target)
    {
        using var copies = _context.BeginCopies();
        foreach (var (source, length) in parts)
        {
            if (length > 0)
            {
                copies.Check(_driver.MemcpyDtoDAsync(target, source, (nuint)length, copies.Stream));
                target += length;
            }
        }

        copies.Wait();
    }

    /// <summary>Gives back to the driver what was disposed and kept for later.</summary>
    public void Trim()
    {
        _blocks.Trim();
        _pageLocked.Trim();
    }

    private void Check(int result, string action) => _context.Check(result, action);

    private nint AllocateBlock(long size)
    {
        nint address;
        using var current = _context.Enter();
        Check(_driver.MemAlloc(&address, (nuint)size), $"allocating {size} bytes of its memory");
        return address;
    }

    private void FreeBlock(nint address) => Free(_driver.MemFree, address);

    private nint AllocatePageLocked(long size)
    {
        nint address;
        using var current = _context.Enter();
        Check(_driver.MemHostAlloc(&address, (nuint)size, PortableMemory), $"allocating {size} bytes of page-locked memory");
        return address;
    }

    private void FreePageLocked(nint address) => Free(_driver.MemFreeHost, address);

    private void Free(delegate* unmanaged<nint, int> free, nint address)
    {
        try
        {
            using var current = _context.Enter();
            _ = free(address);
        }
        catch (InferenceException)
        {
            // The GPU is broken: what it had is lost with its context, and the next call that can fail says why.
        }
    }

    private string ReadName()
    {
        const int length = 256;
        var name = stackalloc byte[length];
        Check(_driver.DeviceGetName(name, length, _handle), "reading its name");
        return Marshal.PtrToStringUTF8((nint)name)!;
    }

    private string ReadUuid()
    {
        var bytes = stackalloc byte[16];
        Check(_driver.DeviceGetUuid(bytes, _handle), "reading its UUID");
        return $"GPU-{new Guid(new ReadOnlySpan<byte>(bytes, 16), bigEndian: true)}";
    }

    private long ReadTotal()
    {
        nuint total;
        Check(_driver.DeviceTotalMem(&total, _handle), "reading its memory's size");
        return (long)total;
    }

    private sealed class OpenedMemory(CudaDevice device, nint address) : IDisposable
    {
        public void Dispose() => device.Free(device._driver.IpcCloseMemHandle, address);
    }
}
