using System.Diagnostics;

namespace Runtime.Scheduling;

/// <summary>How instances wait for their queue without burning a core: a short spin, then asleep on the queue's lock.</summary>
internal sealed class QueueSignal(object gate)
{
    private static readonly long SpinBeforeSleep = Stopwatch.Frequency / 100_000; // 10 µs; waking a sleeper takes longer

    private int _sleepers;
    private int _version;

    /// <summary>To be read under the lock, and given to <see cref="Wait"/> once it is left.</summary>
    public int Version => _version;

    /// <summary>Wakes one sleeper and all who spin. Under the lock.</summary>
    public void Raise()
    {
        Volatile.Write(ref _version, _version + 1);
        if (_sleepers > 0)
        {
            Monitor.Pulse(gate);
        }
    }

    /// <summary>Wakes everyone. Under the lock.</summary>
    public void RaiseForAll()
    {
        Raise();
        Monitor.PulseAll(gate);
    }

    /// <summary>Returns when there was a signal since <paramref name="seen"/>, or it is time, or sooner. Monitors wait whole milliseconds, so the rest is spun.</summary>
    /// <param name="seen">The version at the caller's last look.</param>
    /// <param name="due">A timestamp; <see cref="long.MaxValue"/> for never.</param>
    public void Wait(int seen, long due)
    {
        if (Spin(seen, Math.Min(due, Stopwatch.GetTimestamp() + SpinBeforeSleep)))
        {
            return;
        }

        lock (gate)
        {
            var milliseconds = Milliseconds(due);
            if (_version == seen && milliseconds != 0)
            {
                _sleepers++;
                Monitor.Wait(gate, milliseconds);
                _sleepers--;
                return;
            }
        }

        Spin(seen, due);
    }

    private static int Milliseconds(long due)
    {
        const int AtMost = 60_000; // waking too soon is harmless
        return due == long.MaxValue
            ? Timeout.Infinite
            : (int)Math.Clamp((due - Stopwatch.GetTimestamp()) / (Stopwatch.Frequency / 1000), 0, AtMost);
    }

    private bool Spin(int seen, long until)
    {
        while (Volatile.Read(ref _version) == seen)
        {
            if (Stopwatch.GetTimestamp() >= until)
            {
                return false;
            }

            Thread.SpinWait(20);
        }

        return true;
    }
}
