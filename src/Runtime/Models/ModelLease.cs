namespace Runtime.Models;

/// <summary>Holds a version of a model against unloading while a request uses it. Dispose it once.</summary>
public readonly struct ModelLease : IDisposable
{
    private readonly ServedVersion? _served;

    internal ModelLease(ServedVersion served) => _served = served;

    /// <summary>The model; valid until the lease is disposed.</summary>
    public Model Model => (_served ?? throw new InvalidOperationException("there is no model behind a failed acquire")).Model;

    public void Dispose() => _served?.Release();
}

/// <summary>A version that serves: counted by its leases, freed when it is retired and the last of them is gone.</summary>
internal sealed class ServedVersion(Model model, IDisposable? files)
{
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _references = 1;

    public Model Model { get; } = model;

    public bool TryAcquire()
    {
        var seen = Volatile.Read(ref _references);
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _unused.SetResult();
        }
    }

    /// <summary>Gives up the repository's own reference, waits for the requests in flight, and frees the model. Called once.</summary>
    public async Task RetireAsync()
    {
        Release();
        await _unused.Task.ConfigureAwait(false);
        await Task.Run(Model.Dispose).ConfigureAwait(false);
        files?.Dispose();
    }
}
