using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>A file, loaded once for each device, whose weights the instances there share: running a method is safe on many threads.</summary>
internal sealed class TorchModel : ILoadedModel
{
    private readonly TorchFile _file;
    private readonly TorchParameters _parameters;
    private readonly TorchOptions _options;
    private readonly IReadOnlyList<Device> _devices;
    private readonly Dictionary<Device, NativeModule> _modules = [];

    /// <summary>Loads the file for these devices.</summary>
    /// <exception cref="Inference.InferenceException">It cannot be loaded on one of them.</exception>
    public TorchModel(TorchFile file, TorchParameters parameters, TorchOptions options, IReadOnlyList<Device> devices)
    {
        (_file, _parameters, _options, _devices) = (file, parameters, options, devices);
        try
        {
            foreach (var device in devices.Distinct())
            {
                _modules[device] = file.Load(device, parameters);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>None: a TorchScript file declares neither shapes nor datatypes.</summary>
    public ModelSignature? Signature => null;

    /// <summary>The profiling executor compiles on the second run of a shape.</summary>
    public int LeastWarmupRuns => 2;

    public IDisposable CreateInstance(ModelConfig config, Device device)
    {
        if (_parameters.ShareWeights)
        {
            return new TorchInstance(config, device, _modules[device], ownsModule: false, (_parameters, _options));
        }

        var module = _modules.Remove(device, out var first) ? first : _file.Load(device, _parameters);
        try
        {
            return new TorchInstance(config, device, module, ownsModule: true, (_parameters, _options));
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    public unsafe void Dispose()
    {
        foreach (var module in _modules.Values)
        {
            module.Dispose();
        }

        foreach (var device in _devices.Where(device => device.IsGpu).Distinct())
        {
            // A lost device has nothing to give back.
            _ = NativeMethods.EmptyCache(device.Gpu!.Value, null);
        }
    }
}
