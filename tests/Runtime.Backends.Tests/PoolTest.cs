using Runtime.Tensors;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Runtime.Backends.Tests;

/// <summary>Tests that must give back all the memory that they took from the process's pool.</summary>
public abstract class PoolTest : IDisposable
{
    private readonly long _before = TensorPool.Shared.Outstanding;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Assert.Equal(_before, TensorPool.Shared.Outstanding);
    }
}
