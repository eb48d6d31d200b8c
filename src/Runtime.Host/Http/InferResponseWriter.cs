using System.Globalization;
using Runtime.Host.Nvcf;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Writes a response to an infer request: JSON, with outputs as bytes behind it where the client wants them so.</summary>
internal static class InferResponseWriter
{
    /// <summary>Small enough that a client that reads slowly holds few of the server's blocks.</summary>
    private const int BytesPerWrite = 64 << 10;

    /// <exception cref="InferenceException">An output cannot be delivered as the client wants it; nothing was sent.</exception>
    public static async ValueTask WriteAsync(HttpContext context, InferenceResponse response, InferCall call, bool allowsHalfPrecision)
    {
        using var buffer = new JsonBuffer(1024);
        var binarySize = InferResponseJson.Write(buffer, response, call, allowsHalfPrecision);
        var accept = context.Request.Headers.AcceptEncoding;
        var coding = accept.Count == 0 ? ContentCoding.Identity : ResponseEncoding.Choose(accept.ToString());
        if (coding != ContentCoding.Identity)
        {
            await WriteCompressedAsync(context, (response, call), (buffer, binarySize), coding);
            return;
        }

        var size = buffer.Length + Math.Max(binarySize, 0);
        if (LargeResponse.Applies(call.Nvcf, size))
        {
            await WriteFileAsync(context, response, call, buffer);
            return;
        }

        WriteHead(context.Response, buffer, binarySize);
        context.Response.ContentLength = size;
        await WriteAsync(context, buffer.Written);
        for (var i = 0; i < response.Outputs.Count && binarySize >= 0; i++)
        {
            if (InferResponseJson.IsBinary(call, response.Outputs[i]))
            {
                await WriteAsync(context, response.Outputs[i].Data);
            }
        }
    }

    private static void WriteHead(HttpResponse answer, JsonBuffer buffer, long binarySize)
    {
        answer.ContentType = binarySize < 0 ? "application/json" : "application/octet-stream";
        if (binarySize >= 0)
        {
            answer.Headers["Inference-Header-Content-Length"] = buffer.Length.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static async ValueTask WriteAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, BytesPerWrite)];
            await context.Response.BodyWriter.WriteAsync(part, context.RequestAborted);
            bytes = bytes[part.Length..];
        }
    }

    private static ValueTask WriteFileAsync(HttpContext context, InferenceResponse response, InferCall call, JsonBuffer buffer)
    {
        var binary = response.Outputs.Tensors.ToArray().Where(output => InferResponseJson.IsBinary(call, output)).Select(output => output.Data);
        return LargeResponse.WriteAsync(context, call.Nvcf!, response, buffer.Written, [.. binary]);
    }

    private static async ValueTask WriteCompressedAsync(
        HttpContext context, (InferenceResponse Response, InferCall Call) answer, (JsonBuffer Buffer, long BinarySize) body, ContentCoding coding)
    {
        using var packed = new MemoryStream();
        using (var stream = coding.Compress(packed))
        {
            stream.Write(body.Buffer.Written.Span);
            foreach (var output in answer.Response.Outputs.Tensors)
            {
                if (InferResponseJson.IsBinary(answer.Call, output))
                {
                    stream.Write(output.Data.Span);
                }
            }
        }

        if (LargeResponse.Applies(answer.Call.Nvcf, packed.Length))
        {
            await WriteFileAsync(context, answer.Response, answer.Call, body.Buffer);
            return;
        }

        WriteHead(context.Response, body.Buffer, body.BinarySize);
        context.Response.Headers.ContentEncoding = coding.Name();
        context.Response.ContentLength = packed.Length;
        await WriteAsync(context, packed.GetBuffer().AsMemory(0, (int)packed.Length));
    }
}
