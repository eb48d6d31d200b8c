using System.Buffers;
using System.IO.Pipelines;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>
/// A request's body, read forwards: parts in one piece, or bytes into given memory. What arrived in one piece is shown where
/// it lies, all else is copied once. For one reader; dispose it before the response is written.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private readonly PipeReader? _pipe;
    private readonly long _limit;
    private readonly CancellationToken _cancellation;
    private ReadOnlyMemory<byte> _decoded;
    private SequencePosition? _held;
    private byte[]? _rented;
    private long _consumed;

    /// <param name="pipe">Where the body comes from.</param>
    /// <param name="declared">Its length, if known.</param>
    /// <param name="limit">The bytes that it may have.</param>
    /// <param name="cancellation">Cancelled when the client is gone.</param>
    /// <exception cref="InferenceException">The body is longer than it may be.</exception>
    public RequestBody(PipeReader pipe, long? declared, long limit, CancellationToken cancellation)
    {
        (_pipe, Length, _limit, _cancellation) = (pipe, declared, limit, cancellation);
        if (declared > limit)
        {
            throw TooLong(limit, $"of {declared} bytes ");
        }
    }

    private RequestBody(byte[] decoded, int length)
        => (_rented, _decoded, Length) = (decoded, decoded.AsMemory(0, length), length);

    /// <summary>The body's bytes, if known.</summary>
    public long? Length { get; }

    /// <summary>The bytes not yet read, or the most that may follow.</summary>
    public long MostRemaining => (Length ?? _limit) - _consumed;

    /// <summary>A body of bytes that lie in an array of the process's pool, which it takes over.</summary>
    public static RequestBody Of(byte[] array, int length) => new(array, length);

    /// <summary>The next bytes, or all that remain for -1, in one piece: valid until <see cref="Release"/>. Fewer come only at the body's end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> HoldAsync(int count)
    {
        if (_pipe is null)
        {
            var part = count < 0 || count > _decoded.Length ? _decoded : _decoded[..count];
            _decoded = _decoded[part.Length..];
            _consumed += part.Length;
            return part;
        }

        var result = await _pipe.ReadAsync(_cancellation);
        var buffer = result.Buffer;
        if (count < 0 ? result.IsCompleted : buffer.Length >= count)
        {
            var part = count < 0 ? buffer : buffer.Slice(0, count);
            if (part.IsSingleSegment && part.Length <= _limit)
            {
                _held = part.End;
                _consumed += part.Length;
                return part.First;
            }
        }

        _pipe.AdvanceTo(buffer.Start);
        return await GatherAsync(count);
    }

    /// <summary>Ends the use of what <see cref="HoldAsync"/> gave.</summary>
    public void Release()
    {
        if (_held is { } end)
        {
            _held = null;
            _pipe!.AdvanceTo(end);
        }

        if (_pipe is not null && _rented is { } array)
        {
            _rented = null;
            TensorPool.Shared.Return(array);
        }
    }

    /// <summary>Fills the memory, and gives how many bytes it got: fewer only at the body's end.</summary>
    public async ValueTask<int> FillAsync(Memory<byte> target)
    {
        if (_pipe is null)
        {
            var part = await HoldAsync(target.Length);
            part.CopyTo(target);
            return part.Length;
        }

        var filled = 0;
        while (filled < target.Length)
        {
            var result = await _pipe.ReadAsync(_cancellation);
            var part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, target.Length - filled));
            part.CopyTo(target.Span[filled..]);
            filled += (int)part.Length;
            _consumed += part.Length;
            var isLast = result.IsCompleted && part.Length == result.Buffer.Length;
            _pipe.AdvanceTo(part.End);
            if (isLast)
            {
                break;
            }
        }

        return filled;
    }

    /// <summary>Whether the body has ended.</summary>
    public async ValueTask<bool> IsAtEndAsync()
    {
        if (_pipe is null || Length is not null)
        {
            return _consumed == Length;
        }

        var result = await _pipe.ReadAsync(_cancellation);
        var isEmpty = result.Buffer.IsEmpty && result.IsCompleted;
        _pipe.AdvanceTo(result.Buffer.Start);
        return isEmpty;
    }

    public void Dispose()
    {
        Release();
        if (_rented is { } array)
        {
            _rented = null;
            TensorPool.Shared.Return(array);
        }
    }

    private static InferenceException TooLong(long limit, string length) => new(
        ErrorCode.InvalidArgument, $"request body {length}exceeds the maximum allowed value of {limit} bytes. Use --http-max-input-size to increase the limit.");

    private async ValueTask<ReadOnlyMemory<byte>> GatherAsync(int count)
    {
        _rented = TensorPool.Shared.Rent(count >= 0 ? count : Length is { } length ? length - _consumed : 16 << 10);
        var filled = 0;
        while (true)
        {
            var room = count >= 0 ? _rented.AsMemory(0, count) : _rented;
            filled += await FillAsync(room[filled..]);
            if (_consumed > _limit)
            {
                throw TooLong(_limit, "");
            }

            if (filled < room.Length || filled == count || _consumed == Length)
            {
                return _rented.AsMemory(0, filled);
            }

            var larger = TensorPool.Shared.Rent(Math.Min(2L * _rented.Length, Array.MaxLength));
            _rented.AsSpan(0, filled).CopyTo(larger);
            TensorPool.Shared.Return(_rented);
            _rented = larger;
        }
    }
}
