using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Concurrency;

/// <summary>Repeats its input, once the test has let the execution through.</summary>
internal sealed class GatedBackend : IBackend, ILoadedModel, IModelInstance
{
    private readonly SemaphoreSlim _entered = new(0);
    private readonly SemaphoreSlim _open = new(0);
    private readonly SemaphoreSlim _cancelled = new(0);

    public string Name => "gated";

    public ModelSignature? Signature => null;

    /// <summary>The first element of each execution, in their order.</summary>
    public ConcurrentQueue<int> Executed { get; } = [];

    /// <summary>Waits until one more execution stands at the gate.</summary>
    public Task EnteredAsync() => _entered.WaitAsync();

    /// <summary>Waits until one more execution saw its cancellation.</summary>
    public Task CancelledAsync() => _cancelled.WaitAsync();

    public void Open(int count = 1) => _open.Release(count);

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

    public IDisposable CreateInstance(ModelConfig config, Device device) => this;

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        _entered.Release();
        try
        {
            _open.Wait(cancellation);
        }
        catch (OperationCanceledException)
        {
            _cancelled.Release();
            throw;
        }

        var x = inputs[0];
        Executed.Enqueue(MemoryMarshal.Read<int>(x.Data.Span));
        var outputs = new TensorSet();
        outputs.Rent("Y", x.Type, x.Shape, x.Data.Length, out var memory);
        x.Data.CopyTo(memory);
        return outputs;
    }

    public void Dispose()
    {
    }
}
