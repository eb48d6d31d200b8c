using System.Numerics;

namespace Runtime.Devices;

/// <summary>
/// Lends blocks of native memory whose allocation is slow, and keeps up to a bound of what comes back. Sizes are rounded up to
/// quarters between powers of two, so that at most a fifth of a block is not used. Thread-safe.
/// </summary>
internal sealed class BlockPool(Func<long, nint> allocate, Action<nint> free, long mostKeptBytes)
{
    private const long SmallestBlock = 4096;

    private readonly Dictionary<long, Stack<nint>> _kept = [];
    private readonly Lock _gate = new();
    private long _keptBytes;

    /// <summary>A block of at least so many bytes. Where there is no memory left, what is kept is given up before the error is.</summary>
    public Block Take(long length)
    {
        var size = SizeFor(length);
        lock (_gate)
        {
            if (_kept.TryGetValue(size, out var blocks) && blocks.TryPop(out var address))
            {
                _keptBytes -= size;
                return new Block(this, address, size);
            }
        }

        try
        {
            return new Block(this, allocate(size), size);
        }
        catch (Inference.InferenceException exception) when (!exception.Error.IsPermanent)
        {
            if (!Trim())
            {
                throw;
            }

            return new Block(this, allocate(size), size);
        }
    }

    /// <summary>Frees what is kept, and says whether there was anything.</summary>
    public bool Trim()
    {
        nint[] blocks;
        lock (_gate)
        {
            blocks = [.. _kept.Values.SelectMany(static kept => kept)];
            _kept.Clear();
            _keptBytes = 0;
        }

        Array.ForEach(blocks, free);
        return blocks.Length > 0;
    }

    /// <summary>The size of the block that is lent for so many bytes.</summary>
    internal static long SizeFor(long length)
    {
        if (length <= SmallestBlock)
        {
            return SmallestBlock;
        }

        var step = 1L << (BitOperations.Log2((ulong)(length - 1)) - 2);
        return (length + step - 1) / step * step;
    }

    private void Return(nint address, long size)
    {
        lock (_gate)
        {
            if (_keptBytes + size <= mostKeptBytes)
            {
                if (!_kept.TryGetValue(size, out var blocks))
                {
                    _kept[size] = blocks = new Stack<nint>();
                }

                blocks.Push(address);
                _keptBytes += size;
                return;
            }
        }

        free(address);
    }

    /// <summary>A block that is lent until it is disposed.</summary>
    internal sealed class Block(BlockPool pool, nint address, long size) : IDisposable
    {
        private int _isReturned;

        public nint Address => address;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0)
            {
                pool.Return(address, size);
            }
        }
    }
}
