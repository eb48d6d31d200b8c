using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;

namespace Runtime.Onnx;

/// <summary>ONNX Runtime's provider for NVIDIA's GPUs: part of the official GPU package, or a library that is registered with it.</summary>
internal sealed class CudaProvider
{
    private const string Cuda = "CUDAExecutionProvider";
    private const string TensorRt = "TensorrtExecutionProvider";
    private const string LibraryName = "libonnxruntime_providers_cuda.so";
    private const string TensorRtLibraryName = "libonnxruntime_providers_tensorrt.so";

    private readonly CudaDevices _devices;
    private readonly string? _library;

    private CudaProvider(CudaDevices devices, GpuSupport gpus, string? library = null) => (_devices, Gpus, _library) = (devices, gpus, library);

    /// <summary>The GPUs that sessions can run on, or why there are none.</summary>
    public GpuSupport Gpus { get; }

    /// <summary>Looks for the provider and its GPUs, in an environment that was started.</summary>
    public static CudaProvider Find(OnnxOptions options, CudaDevices devices)
    {
        if (devices.All.Count == 0)
        {
            return new CudaProvider(devices, new GpuSupport([], devices.WhyNone));
        }

        return OrtEnv.Instance().GetAvailableProviders().Contains(Cuda) ? BuiltIn(devices) : Registered(options, devices);
    }

    /// <summary>Lets a session run on that GPU, which must be one of <see cref="Gpus"/>.</summary>
    /// <exception cref="InferenceException">The model asks for TensorRT, and that cannot be had.</exception>
    public void Append(SessionOptions session, int gpu, GpuOptions options)
    {
        // Operators go to the first provider that takes them.
        if (options.TensorRt is not null)
        {
            AppendTensorRt(session, gpu, options.TensorRt);
        }

        if (_library is not null)
        {
            session.AppendExecutionProvider(OrtEnv.Instance(), [DeviceOf(Cuda, gpu)!], options.Cuda);
            return;
        }

        using var cuda = new OrtCUDAProviderOptions();
        cuda.UpdateOptions(WithDevice(options.Cuda, gpu));
        session.AppendExecutionProvider_CUDA(cuda);
    }

    /// <summary>The GPU itself, for its memory.</summary>
    public CudaDevice Device(int gpu) => _devices.Find(gpu)!;

    private static CudaProvider BuiltIn(CudaDevices devices)
    {
        try
        {
            // Loads the provider's library, and with it what that needs.
            using var options = new OrtCUDAProviderOptions();
            options.UpdateOptions(WithDevice([], 0));
        }
        catch (OnnxRuntimeException exception)
        {
            return new CudaProvider(devices, new GpuSupport([], $"ONNX Runtime's CUDA provider cannot be loaded: {OnnxErrors.Reason(exception)}"));
        }

        return new CudaProvider(devices, new GpuSupport([.. devices.All.Select(device => device.Number)], ""));
    }

    private static CudaProvider Registered(OnnxOptions options, CudaDevices devices)
    {
        CudaProvider None(string why) => new(devices, new GpuSupport([], why));
        var library = options.CudaLibrary is { Length: > 0 } named ? Path.GetFullPath(named) : FindBesideApplication(LibraryName);
        if (library is null)
        {
            return None($"this ONNX Runtime has no CUDA provider, and {LibraryName} is not beside the application (--onnx-cuda-library names another place)");
        }

        if (!File.Exists(library))
        {
            return None($"there is no file '{library}' (--onnx-cuda-library)");
        }

        try
        {
            Register(Cuda, library);
        }
        catch (OnnxRuntimeException exception)
        {
            return None($"ONNX Runtime cannot load '{library}': {OnnxErrors.Reason(exception)}");
        }

        var numbers = devices.All.Select(device => device.Number).Where(number => DeviceOf(Cuda, number) is not null).ToArray();
        return numbers.Length > 0
            ? new CudaProvider(devices, new GpuSupport(numbers, ""), library)
            : None($"CUDA reports {devices.All.Count}, but ONNX Runtime finds no NVIDIA GPU in /sys/class/drm and /sys/bus/pci/devices");
    }

    private static string? FindBesideApplication(string name) => new[] { "", Path.Combine("runtimes", "linux-x64", "native") }
        .Select(folder => Path.Combine(AppContext.BaseDirectory, folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>Registers a provider's library, unless it was before: another backend of the process shares the environment.</summary>
    private static void Register(string provider, string library)
    {
        if (!OrtEnv.Instance().GetEpDevices().Any(device => device.EpName == provider))
        {
            OrtEnv.Instance().RegisterExecutionProviderLibrary(provider, library);
        }
    }

    /// <summary>ONNX Runtime's device for a GPU. Its own number is that of the PCI device; CUDA's is among the options that the provider suggests for it.</summary>
    private static OrtEpDevice? DeviceOf(string provider, int gpu)
    {
        var number = gpu.ToString(CultureInfo.InvariantCulture);
        return OrtEnv.Instance().GetEpDevices().FirstOrDefault(device => device.EpName == provider
            && (device.EpOptions.Entries.GetValueOrDefault("device_id") ?? device.EpMetadata.Entries.GetValueOrDefault("cuda_device_id")) == number);
    }

    private static Dictionary<string, string> WithDevice(Dictionary<string, string> options, int gpu)
        => new(options) { ["device_id"] = gpu.ToString(CultureInfo.InvariantCulture) };

    private void AppendTensorRt(SessionOptions session, int gpu, Dictionary<string, string> options)
    {
        try
        {
            if (_library is null)
            {
                using var tensorRt = new OrtTensorRTProviderOptions();
                tensorRt.UpdateOptions(WithDevice(options, gpu));
                session.AppendExecutionProvider_Tensorrt(tensorRt);
                return;
            }

            Register(TensorRt, Path.Combine(Path.GetDirectoryName(_library)!, TensorRtLibraryName));
        }
        catch (OnnxRuntimeException exception)
        {
            throw new InferenceException(ErrorCode.Unavailable, $"the model asks for TensorRT, which cannot be loaded: {OnnxErrors.Reason(exception)}");
        }

        var device = DeviceOf(TensorRt, gpu) ?? throw new InferenceException(ErrorCode.Unavailable, $"the model asks for TensorRT, which does not offer GPU {gpu}");
        session.AppendExecutionProvider(OrtEnv.Instance(), [device], options);
    }
}
