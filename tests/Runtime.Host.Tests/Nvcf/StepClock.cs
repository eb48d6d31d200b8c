namespace Runtime.Host.Tests.Nvcf;

/// <summary>A clock that the test moves; timers that are due go off in the moving thread.</summary>
internal sealed class StepClock : TimeProvider
{
    private readonly List<StepTimer> _timers = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The timers that are not disposed.</summary>
    public int TimerCount => _timers.Count;

    public override long GetTimestamp() => _now;

    public void Advance(int milliseconds)
    {
        for (; milliseconds > 0; milliseconds--)
        {
            _now += TimeSpan.TicksPerMillisecond;
            foreach (var timer in _timers.Where(timer => timer.Due <= _now).ToArray())
            {
                timer.Fire();
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new StepTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        _timers.Add(timer);
        return timer;
    }

    private sealed class StepTimer(StepClock clock, Action fire) : ITimer
    {
        public long Due { get; private set; }

        public void Fire()
        {
            Due = long.MaxValue;
            fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : clock._now + dueTime.Ticks;
            return true;
        }

        public void Dispose() => clock._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
