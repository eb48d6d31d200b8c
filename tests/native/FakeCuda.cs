using System.Runtime.InteropServices;
using Runtime.Devices;

namespace Runtime.Tests.Native;

/// <summary>A driver of its own for one test, made of a copy of the library: its GPUs' memory is the heap, and it counts what is taken.</summary>
internal sealed unsafe class FakeCuda : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"fake_cuda_{Guid.NewGuid():N}.so");
    private readonly nint _handle;

    public FakeCuda()
    {
        File.Copy(Library, _path);
        _handle = NativeLibrary.Load(_path);
    }

    public static string Library => Path.Combine(AppContext.BaseDirectory, "libfake_cuda.so");

    public int DeviceBlocks => Count(0);

    public int PageLockedBlocks => Count(1);

    public int OpenHandles => Count(2);

    public int Copies => Count(3);

    public int Contexts => Count(4);

    /// <summary>Contexts on this thread's stack.</summary>
    public int Depth => ((delegate* unmanaged<int>)NativeLibrary.GetExport(_handle, "fake_cuda_depth"))();

    public void SetDevices(int number) => ((delegate* unmanaged<int, void>)NativeLibrary.GetExport(_handle, "fake_cuda_set_devices"))(number);

    /// <summary>Lets the next calls of a function return a code.</summary>
    public void Fail(string function, int code, int times = 1)
    {
        var name = Marshal.StringToCoTaskMemUTF8(function);
        ((delegate* unmanaged<nint, int, int, void>)NativeLibrary.GetExport(_handle, "fake_cuda_fail"))(name, code, times);
        Marshal.FreeCoTaskMem(name);
    }

    public CudaDevices Open() => new(_path);

    public CudaDevice First() => Open().All[0];

    public void Dispose() => File.Delete(_path);

    private int Count(int what) => ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(_handle, "fake_cuda_count"))(what);
}

/// <summary>A test of CUDA's driver calls against the library above, which only a C compiler makes.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FakeCudaFactAttribute : FactAttribute
{
    public FakeCudaFactAttribute() => Skip = File.Exists(FakeCuda.Library) ? null : "there is no C compiler (cc) to make the library with";
}
