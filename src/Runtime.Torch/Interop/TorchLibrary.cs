using System.Reflection;
using System.Runtime.InteropServices;
using Runtime.Inference;

namespace Runtime.Torch.Interop;

/// <summary>The native library beside the application, which brings libtorch into the process; loaded when the first model needs it.</summary>
internal static class TorchLibrary
{
    public const string FileName = "lib" + NativeMethods.Library + ".so";

    private const string Build = "install libtorch and a C++ compiler (on Debian: apt install libtorch-dev libopenblas0-pthread g++) and build the host again, or build this file alone with src/Runtime.Torch/native/build.sh";
    private const string Install = "install libtorch (on Debian: apt install libtorch1.13 libopenblas0-pthread)";

    private static readonly Lock Gate = new();
    private static nint _library;

    static TorchLibrary() => NativeLibrary.SetDllImportResolver(typeof(TorchLibrary).Assembly, static (name, _, _) => name == NativeMethods.Library ? _library : 0);

    /// <summary>libtorch's version, such as <c>1.13.0</c>, once it is loaded.</summary>
    public static unsafe string Version => Marshal.PtrToStringUTF8((nint)NativeMethods.GetVersion())!;

    /// <summary>Loads the library, unless it is, with these threads; a failure is tried again the next time.</summary>
    /// <exception cref="InferenceException">It cannot be loaded; the message says why, and what to install.</exception>
    public static void Require(TorchOptions options)
    {
        lock (Gate)
        {
            if (_library == 0)
            {
                Backends.NativeHeap.Bound();
                _library = Check(Load(FindFile()));
                SetThreads(options);
            }
        }
    }

    /// <summary>Why the library cannot be loaded, as <see cref="Require"/> says it; null where it can.</summary>
    public static string? WhyMissing(TorchOptions options)
    {
        try
        {
            Require(options);
            return null;
        }
        catch (InferenceException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>Sets the threads between operators for the process, which only its first model can; warns where that is too late.</summary>
    public static unsafe void SetInterOpThreads(int count, string model, TorchOptions options)
    {
        NativeError error;
        if (count > 0 && NativeMethods.SetThreads(0, count, &error) != NativeCode.Ok)
        {
            options.Log?.Invoke($"parameter 'INTER_OP_THREAD_COUNT' of model '{model}' has no effect: {TorchErrors.Text(&error)}");
        }
    }

    private static string FindFile()
    {
        var directories = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string)?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) ?? [];
        return Array.Find([.. directories.Prepend(AppContext.BaseDirectory).Select(directory => Path.Combine(directory, FileName))], File.Exists)
            ?? throw Missing($"{FileName} is not in the application's folder; {Build}");
    }

    private static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path, Assembly.GetExecutingAssembly(), null);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            // Above it are the runtime's hints on how to look for the reason, which the loader gives in its last line.
            throw Missing($"{FileName} cannot be loaded ({exception.Message.TrimEnd().Split('\n')[^1].Trim()}); {Install}");
        }
    }

    /// <summary>A library of another build stays in the process, as libtorch does not bear to be taken out again.</summary>
    private static unsafe nint Check(nint library)
    {
        var abi = NativeLibrary.TryGetExport(library, "rtt_abi", out var function) ? ((delegate* unmanaged<int>)function)() : 0;
        return abi == NativeMethods.Abi
            ? library
            : throw Missing($"{FileName} is of another build (its interface is {abi}, this host's {NativeMethods.Abi}); {Build}");
    }

    private static unsafe void SetThreads(TorchOptions options)
    {
        NativeError error;
        TorchErrors.Check(NativeMethods.SetThreads(options.IntraOpThreadCount, 0, &error), &error, "");
    }

    private static InferenceException Missing(string reason)
        => new(ErrorCode.Unavailable, $"TorchScript models cannot be served: {reason}");
}
