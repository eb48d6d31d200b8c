using System.Numerics;

namespace Runtime.Tensors;

/// <summary>
/// Lends byte arrays of the pinned heap in powers of two, so that native code may keep their addresses while they are
/// lent. Thread-safe.
/// </summary>
public sealed class TensorPool
{
    private const int SmallestShift = 8;
    private const int LargestShift = 30;
    private const long RetainedBytesPerSize = 64 << 20;

    private readonly Bucket[] _buckets = [.. Enumerable.Range(SmallestShift, LargestShift - SmallestShift + 1).Select(shift => new Bucket(shift))];
    private long _outstanding;

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
        }
    }

    private static int Shift(int byteCount) => Math.Max(SmallestShift, 32 - BitOperations.LeadingZeroCount((uint)Math.Max(byteCount, 1) - 1));

    private sealed class Bucket(int shift)
    {
        private readonly byte[][] _free = new byte[Math.Clamp(RetainedBytesPerSize >> shift, 1, 1024)][];
        private readonly Lock _gate = new();
        private int _count;
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
    }
}
