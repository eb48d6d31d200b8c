namespace Runtime.Tests.Scheduling;

/// <summary>A clock whose timers, those that were started, go off when the test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly List<ManualTimer> _timers = [];
    private long _now;

    public void FireAll()
    {
        ManualTimer[] timers;
        lock (_timers)
        {
            timers = [.. _timers];
        }

        foreach (var timer in timers)
        {
            timer.Fire();
        }
    }

    /// <summary>How many timers are started.</summary>
    public int DueCount
    {
        get
        {
            lock (_timers)
            {
                return _timers.Count(timer => timer.IsDue);
            }
        }
    }

    public int TimerCount
    {
        get
        {
            lock (_timers)
            {
                return _timers.Count;
            }
        }
    }

    public void Advance(TimeSpan span) => Interlocked.Add(ref _now, span.Ticks);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        lock (_timers)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    private sealed class ManualTimer(ManualTime time, Action fire) : ITimer
    {
        private (bool IsDue, bool Recurs) _state; // read and written by the test and by what it tests, never at once

        public bool IsDue => _state.IsDue;

        public void Fire()
        {
            var (isDue, recurs) = _state;
            _state.IsDue = isDue && recurs;
            if (isDue)
            {
                fire();
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _state = (dueTime != Timeout.InfiniteTimeSpan, period != Timeout.InfiniteTimeSpan && period != TimeSpan.Zero);
            return true;
        }

        public void Dispose()
        {
            lock (time._timers)
            {
                time._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
