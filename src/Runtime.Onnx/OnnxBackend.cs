using Microsoft.ML.OnnxRuntime;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>Loads ONNX files.</summary>
public sealed class OnnxBackend : IBackend
{
    private const string DefaultFilename = "model.onnx";

    private readonly Lazy<CudaProvider> _cuda;

    /// <summary>Starts ONNX Runtime; of several backends in a process the first one's options for its threads and log hold.</summary>
    public OnnxBackend(OnnxOptions? options = null)
        : this(options ?? new OnnxOptions(), () => CudaDevices.Here)
    {
    }

    internal OnnxBackend(OnnxOptions options, Func<CudaDevices> devices)
    {
        Options = options;
        _cuda = new Lazy<CudaProvider>(() => CudaProvider.Find(options, devices()));
        OnnxEnvironment.Start(options);
    }

    /// <summary>Begins to load ONNX Runtime's library beside whatever else a start does; a fault shows when a backend is made. Call it before other threads run.</summary>
    public static void BeginPreload()
    {
        OnnxEnvironment.DisableTelemetry();
        ThreadPool.UnsafeQueueUserWorkItem(static _ => Preload(), null);
    }

    public string Name => "onnxruntime";

    /// <summary>The GPUs that CUDA shows and ONNX Runtime's provider takes. Both are looked for when this is first asked.</summary>
    public GpuSupport Gpus => Cuda.Gpus;

    internal OnnxOptions Options { get; }

    internal CudaProvider Cuda => _cuda.Value;

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var path = ModelFile.Find(config, versionDirectory, DefaultFilename, out var shownPath);
        var sessions = new OnnxSessions(config, new OnnxFile(path, shownPath), this);
        try
        {
            return new OnnxModel(sessions);
        }
        catch
        {
            sessions.Dispose();
            throw;
        }
    }

    private static void Preload()
    {
        try
        {
            OnnxEnvironment.Preload();
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or TypeInitializationException or OnnxRuntimeException)
        {
            // Making a backend meets the same fault, where somebody hears of it.
        }
    }
}
