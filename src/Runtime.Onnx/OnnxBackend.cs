using Microsoft.ML.OnnxRuntime;
using Runtime.Backends;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>Loads ONNX files.</summary>
public sealed class OnnxBackend : IBackend
{
    private const string DefaultFilename = "model.onnx";

    /// <summary>Starts ONNX Runtime; of several backends in a process the first one's options hold.</summary>
    public OnnxBackend(OnnxOptions? options = null) => OnnxEnvironment.Start(options ?? new OnnxOptions());

    /// <summary>Begins to load ONNX Runtime's library beside whatever else a start does; a fault shows when a backend is made. Call it before other threads run.</summary>
    public static void BeginPreload()
    {
        OnnxEnvironment.DisableTelemetry();
        ThreadPool.UnsafeQueueUserWorkItem(static _ => Preload(), null);
    }

    public string Name => "onnxruntime";

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var path = ModelFile.Find(config, versionDirectory, DefaultFilename, out var shownPath);
        InferenceSession? session = null;
        try
        {
            using var options = OnnxSessionOptions.ForSession(config);
            session = new InferenceSession(path, options);
            return new OnnxModel(session);
        }
        catch (OnnxRuntimeException exception)
        {
            session?.Dispose();
            throw OnnxErrors.AtLoad(exception, path, shownPath);
        }
        catch
        {
            session?.Dispose();
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
