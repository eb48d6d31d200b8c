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
    private readonly Task _environment;

    /// <summary>Begins to start ONNX Runtime, for which loads wait; of several backends in a process the first one's options for its threads and log hold.</summary>
    public OnnxBackend(OnnxOptions? options = null)
        : this(options ?? new OnnxOptions(), () => CudaDevices.Here)
    {
    }

    internal OnnxBackend(OnnxOptions options, Func<CudaDevices> devices)
    {
        Options = options;
        OnnxEnvironment.DisableTelemetry();
        _environment = Task.Run(() => OnnxEnvironment.Start(options));
        _cuda = new Lazy<CudaProvider>(() => CudaProvider.Find(Started().Options, devices()));
    }

    /// <summary>Begins to load ONNX Runtime's library beside whatever else a start does; a fault shows when a model loads. Call it before other threads run.</summary>
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
        var sessions = new OnnxSessions(config, new OnnxFile(path, shownPath), Started());
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

    /// <summary>This backend, once ONNX Runtime has started.</summary>
    internal OnnxBackend Started()
    {
        _environment.GetAwaiter().GetResult();
        return this;
    }

    private static void Preload()
    {
        try
        {
            OnnxEnvironment.Preload();
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException or TypeInitializationException or OnnxRuntimeException)
        {
            // Loading a model meets the same fault, where somebody hears of it.
        }
    }
}
