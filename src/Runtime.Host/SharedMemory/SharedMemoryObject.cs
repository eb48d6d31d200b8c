using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Runtime.Host.SharedMemory;

/// <summary>A mapped piece of a POSIX shared memory object, unmapped when the last of its references is released.</summary>
internal sealed partial class SharedMemoryObject
{
    private const int ReadWriteCloseOnExec = 0x80002;
    private const int ProtectReadWrite = 3;
    private const int MapShared = 1;

    private readonly SafeFileHandle _file;
    private readonly nint _address;
    private readonly ulong _byteSize;
    private int _references = 1;

    private SharedMemoryObject(SafeFileHandle file, nint address, ulong byteSize) => (_file, _address, _byteSize) = (file, address, byteSize);

    public unsafe byte* Address => (byte*)_address;

    /// <summary>How many bytes the object has now; its owner may have changed them since.</summary>
    public ulong Length => (ulong)RandomAccess.GetLength(_file);

    /// <summary>Opens the object of that key for reading and writing; null where there is none, or it is no plain memory.</summary>
    public static SafeFileHandle? TryOpen(string key)
    {
        var name = key.StartsWith('/') ? key.AsSpan(1) : key;
        if (name.IsEmpty || name is "." or ".." || name.ContainsAny('/', '\0'))
        {
            return null;
        }

        var file = new SafeFileHandle(ShmOpen($"/{name}", ReadWriteCloseOnExec, 0), ownsHandle: true);
        if (!file.IsInvalid && TryGetLength(file, out _))
        {
            return file;
        }

        file.Dispose();
        return null;
    }

    /// <summary>Bytes of the open object; false for what has no length, such as a pipe of that name.</summary>
    public static bool TryGetLength(SafeFileHandle file, out ulong length)
    {
        try
        {
            length = (ulong)RandomAccess.GetLength(file);
            return true;
        }
        catch (Exception exception) when (exception is NotSupportedException or IOException or UnauthorizedAccessException)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>Maps a piece that lies inside the object and takes the file over; null, with the system's reason, if it can't be mapped.</summary>
    public static SharedMemoryObject? TryMap(SafeFileHandle file, ulong offset, ulong byteSize, out string reason)
    {
        var address = Map(0, (nuint)byteSize, ProtectReadWrite, MapShared, file, (long)offset);
        reason = address == -1 ? Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()) : "";
        return address == -1 ? null : new SharedMemoryObject(file, address, byteSize);
    }

    /// <summary>Only while the caller knows of another reference.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _ = Unmap(_address, (nuint)_byteSize);
            _file.Dispose();
        }
    }

    [LibraryImport("libc", EntryPoint = "shm_open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ShmOpen(string name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);
}
