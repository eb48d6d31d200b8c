using System.Runtime.InteropServices;

namespace Runtime.Backends;

/// <summary>
/// glibc's heap, from which backends take models' weights. Left alone it makes up to eight arenas a processor, as many threads
/// load models, and keeps what they freed: 80 MB after some dozens of loads of small models.
/// </summary>
public static partial class NativeHeap
{
    private const int ArenaMax = -8;

    /// <summary>Bounds the arenas; called before native libraries take threads and memory.</summary>
    public static void Bound()
    {
        if (OperatingSystem.IsLinux())
        {
            IgnoreOtherLibraries(static () => _ = SetOption(ArenaMax, Math.Max(2, Environment.ProcessorCount)));
        }
    }

    /// <summary>Gives back to the system what native code has freed, such as what loading models took besides their weights; takes milliseconds.</summary>
    public static void Trim()
    {
        if (OperatingSystem.IsLinux())
        {
            IgnoreOtherLibraries(static () => _ = TrimHeap(0));
        }
    }

    /// <summary>musl has neither function.</summary>
    private static void IgnoreOtherLibraries(Action call)
    {
        try
        {
            call();
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int TrimHeap(nuint keep);
}
