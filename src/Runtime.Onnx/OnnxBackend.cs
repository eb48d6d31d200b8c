using Microsoft.ML.OnnxRuntime;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
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

    /// <summary>Gives back to the system what native code has freed, such as what the making of sessions took besides their weights; takes milliseconds.</summary>
    public static void TrimMemory() => NativeHeap.Trim();

    public string Name => "onnxruntime";

    /// <summary>The GPUs that CUDA shows and ONNX Runtime's provider takes. Both are looked for when this is first asked.</summary>
    public GpuSupport Gpus => Cuda.Gpus;

    internal OnnxOptions Options { get; }

    internal CudaProvider Cuda => _cuda.Value;

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var sessions = new OnnxSessions(config, FindFile(config, versionDirectory), Started());
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

    private static OnnxFile FindFile(ModelConfig config, string versionDirectory)
    {
        var filename = config.ModelFilename.Length == 0 ? DefaultFilename : config.ModelFilename;
        var directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(versionDirectory));
        var path = Path.GetFullPath(Path.Combine(directory, filename));
        if (!path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"default_model_filename '{filename}' of model '{config.Name}' must name a file inside the version's directory");
        }

        path = Directory.Exists(path) ? Path.Combine(path, DefaultFilename) : path;
        var shownPath = Path.GetRelativePath(Path.GetDirectoryName(directory)!, path);
        return File.Exists(path)
            ? new OnnxFile(path, shownPath)
            : throw new InferenceException(ErrorCode.NotFound, $"unable to find '{shownPath}' of model '{config.Name}'");
    }
}
