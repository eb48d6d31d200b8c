using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Pipelines;
using Google.Protobuf;

namespace Runtime.Host.Grpc;

/// <summary>Writes a call's messages into the response's pipe. For one writer at a time.</summary>
internal sealed class FrameWriter(PipeWriter pipe)
{
    /// <summary>Up to here a message is written in one piece; the pipe's blocks are that large.</summary>
    private const int SmallSize = 4096;

    /// <summary>The bytes of the messages so far, as they are sent.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Writes a message; it leaves with the next flush, or with the end of the call.</summary>
    public void Write(IMessage message)
    {
        var size = message.CalculateSize();
        WriteHeader(pipe.GetSpan(FrameReader.HeaderSize), isCompressed: false, size);
        pipe.Advance(FrameReader.HeaderSize);
        message.WriteTo(pipe);
        BytesWritten += size;
    }

    /// <summary>Writes an inference's response, with gzip at the given level or as it is.</summary>
    /// <exception cref="GrpcException">It is larger than a message can be.</exception>
    public ValueTask WriteAsync(InferReply reply, CompressionLevel? compression, CancellationToken cancellation)
    {
        var size = InferResponseEncoder.Size(reply);
        if (size > Array.MaxLength)
        {
            throw new GrpcException(new GrpcStatus(
                GrpcStatusCode.InvalidArgument, $"Response has byte size {size} which exceeds gRPC's byte size limit {Array.MaxLength}."));
        }

        if (compression is { } level)
        {
            WriteCompressed(reply, (int)size, level);
            return ValueTask.CompletedTask;
        }

        BytesWritten += size;
        if (size <= SmallSize - FrameReader.HeaderSize)
        {
            var span = pipe.GetSpan(FrameReader.HeaderSize + (int)size);
            WriteHeader(span, isCompressed: false, (int)size);
            InferResponseEncoder.Write(span[FrameReader.HeaderSize..], reply);
            pipe.Advance(FrameReader.HeaderSize + (int)size);
            return ValueTask.CompletedTask;
        }

        WriteHeader(pipe.GetSpan(FrameReader.HeaderSize), isCompressed: false, (int)size);
        pipe.Advance(FrameReader.HeaderSize);
        return InferResponseEncoder.WriteAsync(pipe, reply, cancellation);
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation) => await pipe.FlushAsync(cancellation);

    private void WriteCompressed(InferReply reply, int size, CompressionLevel level)
    {
        var plain = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            InferResponseEncoder.Write(plain, reply);
            var packed = MessageCompression.Gzip(plain.AsSpan(0, size), level).Span;
            WriteHeader(pipe.GetSpan(FrameReader.HeaderSize), isCompressed: true, packed.Length);
            pipe.Advance(FrameReader.HeaderSize);
            pipe.Write(packed);
            BytesWritten += packed.Length;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    private static void WriteHeader(Span<byte> target, bool isCompressed, int length)
    {
        target[0] = (byte)(isCompressed ? 1 : 0);
        BinaryPrimitives.WriteInt32BigEndian(target[1..], length);
    }
}
