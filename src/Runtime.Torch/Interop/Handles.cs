using Microsoft.Win32.SafeHandles;

namespace Runtime.Torch.Interop;

/// <summary>Something of the native library's, and the function that frees it.</summary>
internal abstract class NativeHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly Action<nint> _free;

    protected NativeHandle(nint value, Action<nint> free)
        : base(ownsHandle: true)
    {
        _free = free;
        SetHandle(value);
    }

    protected sealed override bool ReleaseHandle()
    {
        _free(handle);
        return true;
    }
}

/// <summary>A loaded TorchScript file on one device.</summary>
internal sealed class NativeModule(nint module) : NativeHandle(module, NativeMethods.FreeModule);

/// <summary>A method of a module, for one run at a time. The module may be freed before it.</summary>
internal sealed class NativeMethod(nint method) : NativeHandle(method, NativeMethods.FreeMethod);

/// <summary>What a run returned, and the memory of all its tensors.</summary>
internal sealed class NativeOutputs(nint outputs) : NativeHandle(outputs, NativeMethods.FreeOutputs);
