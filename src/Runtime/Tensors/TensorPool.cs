using System.Numerics;

namespace Runtime.Tensors;

/// <summary>
/// Lends byte arrays of the pinned heap in powers of two, so that native code may keep their addresses while they are
/// lent. What was not needed for some seconds is given back. Thread-safe.
/// </summary>
public sealed class TensorPool
{
    private const int SmallestShift = 8;
    private const int LargestShift = 30;
    private const long RetainedBytesPerSize = 64 << 20;
    private const long WorthCollecting = 16 << 20;
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(10);

    private readonly Bucket[] _buckets = [.. Enumerable.Range(SmallestShift, LargestShift - SmallestShift + 1).Select(shift => new Bucket(shift))];
    private readonly ITimer _timer;
    private long _outstanding;
    private int _isTiming;
    private long _droppedBytes; // the timer's

    /// <summary>An empty pool; <paramref name="time"/> is the clock by which it gives back what is not needed.</summary>
    public TensorPool(TimeProvider? time = null)
        => _timer = (time ?? TimeProvider.System).CreateTimer(static pool => ((TensorPool)pool!).Trim(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>The pool of the process.</summary>
    public static TensorPool Shared { get; } = new();

    /// <summary>Arrays lent and not yet returned: 0 when nothing is in flight.</summary>
    public long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>Bytes of the arrays that are lent, and of those kept to lend again; arrays beyond the largest size are not counted.</summary>
    public (long Lent, long Kept) Bytes
    {
        get
        {
            var (lent, kept) = (0L, 0L);
            for (var i = 0; i < _buckets.Length; i++)
            {
                var (away, here) = _buckets[i].Counts;
                lent += away << (i + SmallestShift);
                kept += here << (i + SmallestShift);
            }

            return (lent, kept);
        }
    }

    /// <summary>An array of at least that many bytes, with old content in it.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative or beyond an array's length.</exception>
    public byte[] Rent(long byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteCount, Array.MaxLength);
        Interlocked.Increment(ref _outstanding);
        var shift = Shift((int)byteCount);
        return shift <= LargestShift
            ? _buckets[shift - SmallestShift].Rent()
            : GC.AllocateUninitializedArray<byte>((int)byteCount, pinned: true);
    }

    /// <summary>Takes back an array that <see cref="Rent"/> lent, once.</summary>
    public void Return(byte[] array)
    {
        Interlocked.Decrement(ref _outstanding);
        var shift = Shift(array.Length);
        if (shift <= LargestShift)
        {
            _buckets[shift - SmallestShift].Return(array);
            StartTiming();
        }
    }

    private void StartTiming()
    {
        if (Volatile.Read(ref _isTiming) == 0 && Interlocked.Exchange(ref _isTiming, 1) == 0)
        {
            _timer.Change(TrimInterval, TrimInterval);
        }
    }

    /// <summary>Lets go of the arrays that nobody needed since the last time, and stops the clock where none is left.</summary>
    private void Trim()
    {
        foreach (var bucket in _buckets)
        {
            _droppedBytes += bucket.Trim();
        }

        if (Bytes.Kept == 0)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _isTiming, 0);
            if (Bytes.Kept > 0) // returned in between
            {
                StartTiming();
            }

            Collect();
        }
    }

    /// <summary>A process that has become idle allocates nothing, so nothing else would collect what was dropped; and nobody is there to notice the pause.</summary>
    private void Collect()
    {
        if (_droppedBytes >= WorthCollecting && Outstanding == 0)
        {
            _droppedBytes = 0;
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    private static int Shift(int byteCount) => Math.Max(SmallestShift, 32 - BitOperations.LeadingZeroCount((uint)Math.Max(byteCount, 1) - 1));

    private sealed class Bucket(int shift)
    {
        private readonly byte[][] _free = new byte[Math.Clamp(RetainedBytesPerSize >> shift, 1, 1024)][];
        private readonly Lock _gate = new();
        private int _count;
        private int _fewest; // free at any time since the last trim
        private long _lent;

        public (long Lent, long Kept) Counts
        {
            get
            {
                lock (_gate)
                {
                    return (_lent, _count);
                }
            }
        }

        public byte[] Rent()
        {
            lock (_gate)
            {
                _lent++;
                if (_count > 0)
                {
                    var array = _free[--_count];
                    _free[_count] = null!;
                    _fewest = Math.Min(_fewest, _count);
                    return array;
                }
            }

            return GC.AllocateUninitializedArray<byte>(1 << shift, pinned: true);
        }

        public void Return(byte[] array)
        {
            lock (_gate)
            {
                _lent--;
                if (_count < _free.Length)
                {
                    _free[_count++] = array;
                }
            }
        }

        /// <summary>Drops what was never lent since the last call, and tells its bytes.</summary>
        public long Trim()
        {
            lock (_gate)
            {
                var unused = _fewest;
                _count -= unused;
                Array.Copy(_free, unused, _free, 0, _count); // the last in are the ones in use
                Array.Clear(_free, _count, unused);
                _fewest = _count;
                return (long)unused << shift;
            }
        }
    }
}
