using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>Loads TorchScript files. libtorch comes into the process with the first model that needs it.</summary>
public sealed partial class TorchBackend(TorchOptions? options = null) : IBackend
{
    private const string Example =
        "input [ { name: \"INPUT__0\" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] } ] output [ { name: \"OUTPUT__0\" data_type: TYPE_FP32 dims: [ 1000 ] } ]";

    private readonly TorchOptions _options = options ?? new TorchOptions();

    /// <summary>
    /// Keeps OpenMP's threads, which work inside libtorch's operators, from spinning while they wait, unless OMP_WAIT_POLICY is set: on
    /// a machine that does anything else, a spinning thread holds up those that work. It changes the process's environment, so
    /// call it before other threads run.
    /// </summary>
    public static void LetIdleThreadsSleep()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetNativeVariable("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        }
    }

    public string Name => "pytorch";

    public GpuSupport Gpus
    {
        get
        {
            if (TorchLibrary.WhyMissing(_options) is { } reason)
            {
                return new([], reason);
            }

            var count = NativeMethods.CountGpus();
            return new([.. Enumerable.Range(0, count)], count > 0 ? "" : $"libtorch {TorchLibrary.Version} finds none");
        }
    }

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var path = ModelFile.Find(config, versionDirectory, "model.pt", out var shownPath);
        var parameters = TorchParameters.Read(config);
        if (config.Outputs.Count == 0)
        {
            throw new InferenceException(
                ErrorCode.InvalidArgument,
                $"model '{config.Name}' must list its inputs and outputs in config.pbtxt, since a TorchScript file declares neither shapes nor datatypes; for example: {Example}");
        }

        TorchLibrary.Require(_options);
        TorchLibrary.SetInterOpThreads(parameters.InterOpThreads, config.Name, _options);
        return new TorchModel(new TorchFile(path, shownPath, config.Name), parameters, _options, config.InstanceDevices);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);
}
