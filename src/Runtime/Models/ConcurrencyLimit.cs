namespace Runtime.Models;

/// <summary>Counts what is in progress and refuses what would be too much. Lock-free; takes and returns must balance.</summary>
/// <param name="limit">The most in progress at once; 0 counts without a limit.</param>
public sealed class ConcurrencyLimit(long limit)
{
    private long _inUse;

    public long Limit => limit;

    public long InUse => Volatile.Read(ref _inUse);

    /// <summary>Whether nothing more fits.</summary>
    public bool IsFull => limit > 0 && InUse >= limit;

    /// <summary>Takes an amount where it fits; alone it always does, so that nothing is refused for ever.</summary>
    public bool TryTake(long amount = 1)
    {
        if (limit == 0)
        {
            Interlocked.Add(ref _inUse, amount);
            return true;
        }

        var seen = Volatile.Read(ref _inUse);
        while (seen == 0 || amount <= limit - seen)
        {
            var before = Interlocked.CompareExchange(ref _inUse, seen + amount, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>Gives back what was taken, and tells what is still in use.</summary>
    public long Return(long amount = 1) => Interlocked.Add(ref _inUse, -amount);
}

/// <summary>A request's place among those that a model serves at once. Dispose it once.</summary>
public readonly struct ModelSlot : IDisposable
{
    private readonly ConcurrencyLimit? _limit;

    internal ModelSlot(ConcurrencyLimit limit) => _limit = limit;

    public void Dispose() => _limit?.Return();
}
