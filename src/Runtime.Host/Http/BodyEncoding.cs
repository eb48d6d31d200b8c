using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>Opens a request's body, whatever its <c>Content-Encoding</c>: gzip, deflate (the zlib format) or none.</summary>
internal static class BodyEncoding
{
    /// <exception cref="InferenceException">The encoding is unknown, the data are not in it, or they are too many.</exception>
    public static ValueTask<RequestBody> OpenAsync(HttpContext context, long limit)
    {
        var headers = context.Request.Headers;
        var encoding = headers.ContentEncoding.Count == 0 ? "identity" : headers.ContentEncoding.ToString().Trim();
        var isGzip = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase);
        if (!isGzip && !encoding.Equals("deflate", StringComparison.OrdinalIgnoreCase) && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            throw new InferenceException(ErrorCode.Unsupported, $"Unsupported compression type: Content-Encoding '{encoding}', expected gzip, deflate or identity");
        }

        var body = new RequestBody(context.Request.BodyReader, context.Request.ContentLength, limit, context.RequestAborted);
        return encoding.Equals("identity", StringComparison.OrdinalIgnoreCase) ? new ValueTask<RequestBody>(body) : InflateAsync(body, isGzip, limit);
    }

    private static async ValueTask<RequestBody> InflateAsync(RequestBody body, bool isGzip, long limit)
    {
        using (body)
        {
            var packed = await body.HoldAsync(-1);
            return packed.IsEmpty ? RequestBody.Of(TensorPool.Shared.Rent(0), 0) : Inflate(packed, isGzip, limit);
        }
    }

    private static RequestBody Inflate(ReadOnlyMemory<byte> packed, bool isGzip, long limit)
    {
        var target = TensorPool.Shared.Rent(Math.Min(limit, 4L * packed.Length) + 1);
        var isWhole = false;
        try
        {
            var filled = Fill(packed, isGzip, limit, ref target);
            isWhole = true;
            return RequestBody.Of(target, filled);
        }
        catch (InvalidDataException fault)
        {
            throw JsonCursor.Invalid($"failed to decompress the request body as {(isGzip ? "gzip" : "deflate")}: {fault.Message}");
        }
        finally
        {
            if (!isWhole)
            {
                TensorPool.Shared.Return(target);
            }
        }
    }

    private static int Fill(ReadOnlyMemory<byte> packed, bool isGzip, long limit, ref byte[] target)
    {
        var bytes = MemoryMarshal.TryGetArray(packed, out var segment) ? segment : packed.ToArray();
        using var source = new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false);
        using Stream stream = isGzip ? new GZipStream(source, CompressionMode.Decompress) : new ZLibStream(source, CompressionMode.Decompress);
        var filled = 0;
        for (int read; (read = stream.Read(target, filled, target.Length - filled)) > 0;)
        {
            filled += read;
            if (filled > limit)
            {
                throw JsonCursor.Invalid($"Decompressed data size exceeds the maximum allowed value of {limit} bytes. Use --http-max-input-size to increase the limit.");
            }

            if (filled == target.Length)
            {
                target = Grow(target);
            }
        }

        // The trailer counts one member's bytes; a second member behind it is not the body that was meant.
        return !isGzip || (packed.Length >= 18 && BinaryPrimitives.ReadUInt32LittleEndian(packed.Span[^4..]) == (uint)filled)
            ? filled
            : throw new InvalidDataException("The data are not one whole gzip member.");
    }

    private static byte[] Grow(byte[] array)
    {
        var larger = TensorPool.Shared.Rent(Math.Min(2L * array.Length, Array.MaxLength));
        array.CopyTo(larger, 0);
        TensorPool.Shared.Return(array);
        return larger;
    }
}
