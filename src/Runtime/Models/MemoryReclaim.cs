using Runtime.Backends;

namespace Runtime.Models;

/// <summary>
/// Gives memory back to the system after models came and went: objects of unloaded models that only a full collection frees,
/// which else comes late in a process that allocates little, and then what native code has freed. Thread-safe.
/// </summary>
internal sealed class MemoryReclaim : IDisposable
{
    /// <summary>Code of a function that was unloaded is found unused by one collection and freed by the next.</summary>
    public const int Rounds = 2;

    /// <summary>How long a round waits, so that many changes share one.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private int _due;

    public MemoryReclaim(TimeProvider time, Action? reclaim = null)
        => _timer = time.CreateTimer(state => Run((Action)state!), reclaim ?? Reclaim, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Asks for the rounds after a change.</summary>
    public void Request()
    {
        lock (_gate)
        {
            if (_due == 0)
            {
                Start();
            }

            _due = Rounds;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Run(Action reclaim)
    {
        lock (_gate)
        {
            if (--_due > 0)
            {
                Start();
            }
        }

        reclaim();
    }

    private void Start() => _timer.Change(Wait, Timeout.InfiniteTimeSpan);

    private static void Reclaim()
    {
        // In the background: other models go on serving, and theirs may be many objects.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        NativeHeap.Trim();
    }
}
