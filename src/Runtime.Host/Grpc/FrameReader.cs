using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Runtime.Host.Grpc;

/// <summary>How far the next message has come in.</summary>
internal enum FrameState
{
    /// <summary>There is none: the client has sent its last.</summary>
    None,

    /// <summary>Its length is known, and perhaps its beginning.</summary>
    Begun,

    /// <summary>All of it is there.</summary>
    Whole,
}

/// <summary>
/// Reads a call's messages off the request's pipe: a flag byte, four bytes of big-endian length, the message. For one
/// reader at a time.
/// </summary>
/// <param name="pipe">The request's body.</param>
/// <param name="encoding">What compressed messages are compressed with.</param>
/// <param name="maxMessageSize">The most bytes of a message, before and after decompression.</param>
internal sealed class FrameReader(PipeReader pipe, MessageEncoding encoding, long maxMessageSize) : IDisposable
{
    public const int HeaderSize = 5;

    private (SequencePosition Consumed, SequencePosition Examined) _end;
    private bool _holdsBuffer;
    private bool _isDrained;
    private byte[]? _decompressed;

    /// <summary>The bytes of the message that has begun, as the client sends it: compressed or not.</summary>
    public long Length { get; private set; }

    /// <summary>The message, or what is there of it, which is nothing where it is compressed; until the next read or <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Message { get; private set; }

    /// <summary>Waits for a whole message; false when the client has sent its last.</summary>
    /// <exception cref="GrpcException">The bytes are no such message, or too many.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        FrameState state;
        do
        {
            state = await ReadMoreAsync(cancellation);
        }
        while (state == FrameState.Begun);
        return state == FrameState.Whole;
    }

    /// <summary>Waits for the next message, or for more of the one that has begun.</summary>
    /// <exception cref="GrpcException">The bytes are no such message, or too many.</exception>
    public async ValueTask<FrameState> ReadMoreAsync(CancellationToken cancellation)
    {
        Release();
        while (!_isDrained)
        {
            var result = Wanted(await pipe.ReadAsync(cancellation), cancellation);
            var buffer = result.Buffer;
            if (TryReadHeader(buffer, out var isCompressed, out var length))
            {
                var message = buffer.Slice(HeaderSize);
                if (message.Length >= length)
                {
                    message = message.Slice(0, length);
                    Hold(message.End, message.End);
                    _isDrained = result.IsCompleted && message.End.Equals(buffer.End);
                    (Length, Message) = (length, isCompressed ? Decompress(message) : message);
                    return FrameState.Whole;
                }

                if (!result.IsCompleted)
                {
                    // Marking all of it as seen lets the client's flow control window open for the rest of the message.
                    Hold(buffer.Start, buffer.End);
                    (Length, Message) = (length, isCompressed ? default : message);
                    return FrameState.Begun;
                }
            }

            if (result.IsCompleted)
            {
                _isDrained = true;
                var isCut = !buffer.IsEmpty;
                pipe.AdvanceTo(buffer.End);
                return isCut ? throw Cut() : FrameState.None;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }

        return FrameState.None;
    }

    /// <summary>Reads past the message that has begun, keeping nothing of it.</summary>
    /// <exception cref="GrpcException">The request ends before it.</exception>
    public async ValueTask SkipAsync(CancellationToken cancellation)
    {
        Release();
        for (var left = HeaderSize + Length; left > 0;)
        {
            var result = Wanted(await pipe.ReadAsync(cancellation), cancellation);
            var passed = Math.Min(left, result.Buffer.Length);
            pipe.AdvanceTo(result.Buffer.GetPosition(passed));
            left -= passed;
            if (result.IsCompleted && left > 0)
            {
                _isDrained = true;
                throw Cut();
            }
        }
    }

    /// <summary>Gives the message's memory back to the pipe. Calling it again does nothing.</summary>
    public void Release()
    {
        if (!_holdsBuffer)
        {
            return;
        }

        _holdsBuffer = false;
        Message = default;
        pipe.AdvanceTo(_end.Consumed, _end.Examined);
        if (_decompressed is not null)
        {
            ArrayPool<byte>.Shared.Return(_decompressed);
            _decompressed = null;
        }
    }

    public void Dispose() => Release();

    private static GrpcException Cut() => new(GrpcStatus.Internal("The request ended in the middle of a message."));

    private void Hold(SequencePosition consumed, SequencePosition examined)
    {
        _end = (consumed, examined);
        _holdsBuffer = true;
    }

    private static ReadResult Wanted(ReadResult result, CancellationToken cancellation) => result.IsCanceled ? throw new OperationCanceledException(cancellation) : result;

    private bool TryReadHeader(ReadOnlySequence<byte> buffer, out bool isCompressed, out long length)
    {
        (isCompressed, length) = (false, 0);
        if (buffer.Length < HeaderSize)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        buffer.Slice(0, HeaderSize).CopyTo(header);
        length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        isCompressed = header[0] == 1;
        CheckHeader(header[0], length);
        return true;
    }

    private void CheckHeader(byte flag, long length)
    {
        if (flag > 1)
        {
            throw new GrpcException(GrpcStatus.Internal($"A message begins with the compression flag {flag}; expected 0 or 1."));
        }

        if (flag == 1 && encoding == MessageEncoding.Identity)
        {
            throw new GrpcException(GrpcStatus.Internal("A message is marked as compressed, but the request names no grpc-encoding."));
        }

        if (length > maxMessageSize)
        {
            throw TooLarge($"Received message larger than max ({length} vs. {maxMessageSize})");
        }
    }

    private ReadOnlySequence<byte> Decompress(ReadOnlySequence<byte> message)
    {
        if (!MessageCompression.TryDecompress(message, encoding, maxMessageSize, out _decompressed, out var length))
        {
            throw TooLarge($"Received message larger than max when decompressed (more than {maxMessageSize})");
        }

        return new ReadOnlySequence<byte>(_decompressed!, 0, length);
    }

    private static GrpcException TooLarge(string message) => new(new GrpcStatus(GrpcStatusCode.ResourceExhausted, message));
}
