using System.Buffers;
using System.IO.Compression;

namespace Runtime.Host.Grpc;

/// <summary>What a message can be compressed with.</summary>
internal enum MessageEncoding
{
    Identity,
    Gzip,
    Deflate,
}

/// <summary>Compresses and decompresses whole messages. gRPC's deflate is the zlib format.</summary>
internal static class MessageCompression
{
    /// <summary>The encodings that <c>grpc-accept-encoding</c> names.</summary>
    public const string Accepted = "identity, gzip, deflate";

    private const int FirstBufferSize = 16 << 10;

    /// <summary>Reads a <c>grpc-encoding</c>; absent means identity.</summary>
    public static bool TryParse(string? name, out MessageEncoding encoding)
    {
        (var known, encoding) = name switch
        {
            null or "" or "identity" => (true, MessageEncoding.Identity),
            "gzip" => (true, MessageEncoding.Gzip),
            "deflate" => (true, MessageEncoding.Deflate),
            _ => (false, MessageEncoding.Identity),
        };
        return known;
    }

    /// <summary>Whether a <c>grpc-accept-encoding</c> header, a list separated by commas, names gzip.</summary>
    public static bool AcceptsGzip(string? header)
    {
        foreach (var part in (header ?? "").AsSpan().Split(','))
        {
            if (header.AsSpan(part).Trim().SequenceEqual("gzip"))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Decompresses into an array of the shared pool that the caller returns; false if there are more bytes than allowed.</summary>
    /// <exception cref="GrpcException">The bytes are not of that encoding.</exception>
    public static bool TryDecompress(ReadOnlySequence<byte> message, MessageEncoding encoding, long maxLength, out byte[]? target, out int length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferSize);
        (target, length) = (null, 0);
        maxLength = Math.Min(maxLength, Array.MaxLength - 1);
        var fits = false;
        try
        {
            using var stream = Open(message, encoding);
            while (true)
            {
                var count = stream.Read(buffer, length, buffer.Length - length);
                length += count;
                if (count == 0 || length > maxLength)
                {
                    fits = length <= maxLength;
                    target = fits ? buffer : null;
                    return fits;
                }

                if (length == buffer.Length)
                {
                    buffer = Grow(buffer, length);
                }
            }
        }
        catch (InvalidDataException exception)
        {
            throw new GrpcException(GrpcStatus.Internal($"A compressed message is not valid {encoding.ToString().ToLowerInvariant()}."), exception);
        }
        finally
        {
            if (!fits)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>Compresses a message with gzip.</summary>
    public static ReadOnlyMemory<byte> Gzip(ReadOnlySpan<byte> message, CompressionLevel level)
    {
        var target = new MemoryStream(message.Length / 2 + 64);
        using (var stream = new GZipStream(target, level, leaveOpen: true))
        {
            stream.Write(message);
        }

        return target.GetBuffer().AsMemory(0, (int)target.Length);
    }

    private static Stream Open(ReadOnlySequence<byte> message, MessageEncoding encoding)
    {
        var source = new MemoryStream(message.ToArray(), writable: false);
        return encoding == MessageEncoding.Gzip ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
    }

    private static byte[] Grow(byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * buffer.Length, Array.MaxLength));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
