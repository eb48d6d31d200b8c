using System.Runtime.InteropServices;

namespace Runtime.Torch.Interop;

/// <summary>The functions of <c>runtime_torch.h</c>, where their contracts are; callable once <see cref="TorchLibrary"/> is loaded.</summary>
internal static unsafe partial class NativeMethods
{
    public const string Library = "runtime_torch";

    /// <summary>The layouts and meanings that this assembly was written against.</summary>
    public const int Abi = 1;

    [LibraryImport(Library, EntryPoint = "rtt_version")]
    public static partial byte* GetVersion();

    [LibraryImport(Library, EntryPoint = "rtt_cuda_device_count")]
    public static partial int CountGpus();

    [LibraryImport(Library, EntryPoint = "rtt_set_threads")]
    public static partial NativeCode SetThreads(int intra, int inter, NativeError* error);

    [LibraryImport(Library, EntryPoint = "rtt_module_load", StringMarshalling = StringMarshalling.Utf8)]
    public static partial NativeCode LoadModule(string path, int device, NativeLoadOptions* options, out nint module, NativeError* error);

    [LibraryImport(Library, EntryPoint = "rtt_module_free")]
    public static partial void FreeModule(nint module);

    [LibraryImport(Library, EntryPoint = "rtt_module_method", StringMarshalling = StringMarshalling.Utf8)]
    public static partial NativeCode GetMethod(NativeModule module, string name, out nint method, NativeError* error);

    [LibraryImport(Library, EntryPoint = "rtt_method_free")]
    public static partial void FreeMethod(nint method);

    [LibraryImport(Library, EntryPoint = "rtt_method_arguments")]
    public static partial int GetArguments(NativeMethod method, out NativeArgumentInfo* arguments);

    [LibraryImport(Library, EntryPoint = "rtt_method_returns")]
    public static partial byte* GetReturns(NativeMethod method);

    [LibraryImport(Library, EntryPoint = "rtt_method_run")]
    public static partial NativeCode Run(NativeMethod method, NativeArgument* arguments, int count, NativeRunOptions* options, out nint outputs, NativeError* error);

    [LibraryImport(Library, EntryPoint = "rtt_outputs_list")]
    public static partial int ListOutputs(nint outputs, out NativeOutput* list);

    [LibraryImport(Library, EntryPoint = "rtt_outputs_free")]
    public static partial void FreeOutputs(nint outputs);

    [LibraryImport(Library, EntryPoint = "rtt_empty_cache")]
    public static partial NativeCode EmptyCache(int device, NativeError* error);
}
