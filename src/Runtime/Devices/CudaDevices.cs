using System.Runtime.InteropServices;

namespace Runtime.Devices;

/// <summary>The GPUs that CUDA shows this process, or why there are none.</summary>
public sealed unsafe class CudaDevices
{
    private static readonly Lazy<CudaDevices> Machine = new(() => new CudaDevices(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1"));

    /// <summary>Asks the driver in that library.</summary>
    internal CudaDevices(string library)
    {
        // Most machines have none, and an exception would take milliseconds of every start.
        if (!NativeLibrary.TryLoad(library, out var handle))
        {
            WhyNone = $"there is no NVIDIA driver ({library})";
            return;
        }

        try
        {
            var driver = new CudaDriver(handle);
            HasDriver = true;
            All = List(driver, out var whyNone);
            WhyNone = whyNone;
        }
        catch (EntryPointNotFoundException exception)
        {
            WhyNone = $"the NVIDIA driver cannot be used: {exception.Message}";
        }
    }

    /// <summary>Those of this machine. The first asking starts the driver where there is one, which takes a fraction of a second.</summary>
    public static CudaDevices Here => Machine.Value;

    /// <summary>Whether there is a driver that can be asked.</summary>
    public bool HasDriver { get; }

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<CudaDevice> All { get; } = [];

    /// <summary>Where there are none, the reason: part of a sentence that messages end with.</summary>
    public string WhyNone { get; } = "";

    /// <summary>The GPU of that number, or null.</summary>
    public CudaDevice? Find(int number) => number >= 0 && number < All.Count ? All[number] : null;

    private static CudaDevice[] List(CudaDriver driver, out string whyNone)
    {
        var count = 0;
        var result = driver.Init(0);
        result = result == CudaDriver.Success ? driver.DeviceGetCount(&count) : result;
        whyNone = result is CudaDriver.Success or CudaDriver.NoDevice
            ? "CUDA reports no device"
            : $"the NVIDIA driver does not start: {driver.Text(result)}";
        return [.. Enumerable.Range(0, count).Select(number => new CudaDevice(driver, number))];
    }
}
