using Microsoft.Win32.SafeHandles;

namespace Runtime.Torch.Interop;

/// <summary>A loaded TorchScript file on one device.</summary>
internal sealed class NativeModule : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeModule(nint module)
        : base(ownsHandle: true) => SetHandle(module);

    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeModule(handle);
        return true;
    }
}

/// <summary>A method of a module, for one run at a time. The module may be freed before it.</summary>
internal sealed class NativeMethod : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeMethod(nint method)
        : base(ownsHandle: true) => SetHandle(method);

    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeMethod(handle);
        return true;
    }
}

/// <summary>What a run returned, and the memory of all its tensors.</summary>
internal sealed class NativeOutputs : SafeHandleZeroOrMinusOneIsInvalid
{
    public NativeOutputs(nint outputs)
        : base(ownsHandle: true) => SetHandle(outputs);

    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeOutputs(handle);
        return true;
    }
}
