using Runtime.Devices;
using Runtime.Models;

namespace Runtime.Backends;

/// <summary>A loaded model of which nothing had to be loaded.</summary>
internal sealed class FilelessModel(Func<ModelConfig, IDisposable> createInstance) : ILoadedModel
{
    public ModelSignature? Signature => null;

    public IDisposable CreateInstance(ModelConfig config, Device device) => createInstance(config);

    public void Dispose()
    {
    }
}
