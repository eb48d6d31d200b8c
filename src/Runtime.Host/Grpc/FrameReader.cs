using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Runtime.Host.Grpc;

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

    private SequencePosition _end;
    private bool _holdsFrame;
    private bool _isDrained;
    private byte[]? _decompressed;

    /// <summary>The message last read, until the next read or <see cref="Release"/>.</summary>
    public ReadOnlySequence<byte> Message { get; private set; }

    /// <summary>Waits for a whole message; false when the client has sent its last.</summary>
    /// <exception cref="GrpcException">The bytes are no such message, or too many.</exception>
    public ValueTask<bool> ReadAsync(CancellationToken cancellation) => ReadAsync(null, cancellation);

    /// <inheritdoc cref="ReadAsync(CancellationToken)"/>
    /// <param name="begun">
    /// Looks at a message that is still coming in: its length, and what is there of it, nothing where that is compressed. Throws
    /// to leave the rest unread; <c>true</c> when it has seen enough.
    /// </param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async ValueTask<bool> ReadAsync(Func<long, ReadOnlySequence<byte>, bool>? begun, CancellationToken cancellation)
    {
        Release();
        while (!_isDrained)
        {
            var result = await pipe.ReadAsync(cancellation);
            if (result.IsCanceled)
            {
                throw new OperationCanceledException(cancellation);
            }

            var buffer = result.Buffer;
            if (TryReadHeader(buffer, out var isCompressed, out var length))
            {
                var message = buffer.Slice(HeaderSize);
                if (message.Length >= length)
                {
                    message = message.Slice(0, length);
                    _end = message.End;
                    _holdsFrame = true;
                    _isDrained = result.IsCompleted && _end.Equals(buffer.End);
                    Message = isCompressed ? Decompress(message) : message;
                    return true;
                }

                begun = begun?.Invoke(length, isCompressed ? default : message) is false ? begun : null;
            }

            if (result.IsCompleted)
            {
                _isDrained = true;
                var isCut = !buffer.IsEmpty;
                pipe.AdvanceTo(buffer.End);
                return isCut ? throw new GrpcException(GrpcStatus.Internal("The request ended in the middle of a message.")) : false;
            }

            // Marking all of it as seen lets the client's flow control window open for the rest of the message.
            pipe.AdvanceTo(buffer.Start, buffer.End);
        }

        return false;
    }

    /// <summary>Gives the message's memory back to the pipe. Calling it again does nothing.</summary>
    public void Release()
    {
        if (!_holdsFrame)
        {
            return;
        }

        _holdsFrame = false;
        Message = default;
        pipe.AdvanceTo(_end);
        if (_decompressed is not null)
        {
            ArrayPool<byte>.Shared.Return(_decompressed);
            _decompressed = null;
        }
    }

    public void Dispose() => Release();

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
