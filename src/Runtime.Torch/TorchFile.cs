using System.Runtime.InteropServices;
using Runtime.Devices;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>A TorchScript file of a model; messages show its path from the model's directory.</summary>
internal sealed record TorchFile(string Path, string ShownPath, string Model)
{
    /// <exception cref="Inference.InferenceException">It cannot be loaded on that device.</exception>
    public unsafe NativeModule Load(Device device, TorchParameters parameters)
    {
        NativeError error;
        var kept = (byte*)Marshal.StringToCoTaskMemUTF8(parameters.Method);
        try
        {
            var options = Options(parameters);
            options.Preserved = &kept;
            options.PreservedCount = parameters.Method == TorchParameters.DefaultMethod ? 0 : 1;
            var code = NativeMethods.LoadModule(Path, device.Gpu ?? -1, &options, out var module, &error);
            return code == NativeCode.Ok
                ? new NativeModule(module)
                : throw TorchErrors.From(code, $"failed to load '{ShownPath}' of model '{Model}': {TorchErrors.Text(&error).Replace(Path, ShownPath, StringComparison.Ordinal)}");
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)kept);
        }
    }

    private static unsafe NativeLoadOptions Options(TorchParameters parameters) => new()
    {
        Size = sizeof(NativeLoadOptions),
        InferenceMode = Flag(parameters.InferenceMode),
        OptimizedExecution = Flag(parameters.OptimizedExecution),
        JitExecutor = Flag(parameters.JitExecutor),
        JitProfiling = Flag(parameters.JitProfiling),
        TensorFuser = Flag(parameters.TensorFuser),
        Freeze = Flag(parameters.Freeze),
        OptimizeForInference = Flag(parameters.OptimizeForInference),
    };

    private static int Flag(bool? value) => value is { } known ? Convert.ToInt32(known) : -1;
}
