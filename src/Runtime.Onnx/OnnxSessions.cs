using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>
/// The sessions of one model. On the CPU all instances share one, so weights are in memory once; on a GPU each has its own,
/// and with it a stream of its own, unless the model says otherwise.
/// </summary>
internal sealed class OnnxSessions : IDisposable
{
    private readonly ModelConfig _config;
    private readonly OnnxFile _file;
    private readonly OnnxBackend _backend;
    private readonly GpuOptions _gpuOptions;
    private readonly List<(Device Device, InferenceSession Session)> _sessions = [];
    private bool _isFirstTaken;

    /// <summary>Makes the first session, on the device of the model's first instance.</summary>
    /// <exception cref="InferenceException">The file cannot be loaded, or a parameter has a value that it cannot have.</exception>
    public OnnxSessions(ModelConfig config, OnnxFile file, OnnxBackend backend)
    {
        (_config, _file, _backend) = (config, file, backend);
        _gpuOptions = GpuOptions.From(config, backend.Options);
        First = Create(config.InstanceDevices[0]);
    }

    public InferenceSession First { get; }

    public bool UsesGraphs => _gpuOptions.UsesGraphs;

    /// <summary>The session for one more instance on that device.</summary>
    /// <exception cref="InferenceException">The file cannot be loaded there.</exception>
    public InferenceSession Take(Device device)
    {
        var isShared = !device.IsGpu || _gpuOptions.SharesSession;
        var existing = _sessions.Find(entry => entry.Device == device && (isShared || (entry.Session == First && !_isFirstTaken))).Session;
        _isFirstTaken |= existing == First;
        return existing ?? Create(device);
    }

    public SessionDevice DeviceOf(Device device) => device.Gpu is { } gpu ? new SessionDevice(_backend.Cuda.Device(gpu)) : new SessionDevice(null);

    /// <summary>Bytes of device memory that the sessions' arenas hold.</summary>
    public IEnumerable<(Device Device, long Bytes)> MemoryUse()
    {
        foreach (var sessions in _sessions.Where(entry => entry.Device.IsGpu).GroupBy(entry => entry.Device, entry => entry.Session))
        {
            using var device = DeviceOf(sessions.Key);
            yield return (sessions.Key, sessions.Sum(session => BytesOf(session, device.Memory!)));
        }
    }

    public void Dispose()
    {
        _sessions.ForEach(entry => entry.Session.Dispose());
        foreach (var gpu in _sessions.Select(entry => entry.Device.Gpu).OfType<int>().Distinct())
        {
            _backend.Cuda.Device(gpu).Trim();
        }
    }

    private static long BytesOf(InferenceSession session, OrtMemoryInfo memory)
    {
        try
        {
            using var allocator = new OrtAllocator(session, memory);
            return OrtNative.AllocatedBytes(allocator) ?? 0;
        }
        catch (OnnxRuntimeException)
        {
            return 0; // no arena
        }
    }

    private InferenceSession Create(Device device)
    {
        InferenceSession? session = null;
        try
        {
            using var options = OnnxSessionOptions.ForSession(_config);
            if (device.Gpu is { } gpu)
            {
                _backend.Cuda.Append(options, gpu, _gpuOptions);
                options.AddSessionConfigEntry("session.record_ep_graph_assignment_info", "1");
            }

            session = new InferenceSession(_file.Path, options);
            if (device.IsGpu && OrtNative.Assignments(session) is { } assignments && GpuFallback.Check(assignments, _config.Name, device) is { } warning)
            {
                _backend.Options.Log?.Invoke(warning);
            }

            _sessions.Add((device, session));
            return session;
        }
        catch (OnnxRuntimeException fault)
        {
            session?.Dispose();
            throw OnnxErrors.AtLoad(fault, _file.Path, _file.ShownPath);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }
}

/// <summary>A model's file, and its path as messages show it, which begins at the model's directory.</summary>
internal readonly record struct OnnxFile(string Path, string ShownPath);
