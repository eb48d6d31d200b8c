using Runtime.Host.Http;
using Runtime.Inference;

namespace Runtime.Host.Nvcf;

/// <summary>Puts a response's body that is larger than the platform takes into the output directory, and answers with its name.</summary>
internal static class LargeResponse
{
    private const string Name = "response";

    /// <summary>Whether a body of that size is to become a file.</summary>
    public static bool Applies(NvcfRequest? request, long byteSize)
        => request is { SendsLargeResponsesAsFiles: true, Context.Outputs: not null } && byteSize > request.Context.MaxResponseByteSize;

    /// <summary>Writes the file, then the answer: the response without its outputs, whose parameters name the file and its size.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="request">The platform's part of it.</param>
    /// <param name="response">The response.</param>
    /// <param name="json">The response as JSON.</param>
    /// <param name="binary">The outputs that follow the JSON as bytes; empty where none do.</param>
    /// <exception cref="InferenceException">The file cannot be written; nothing was sent.</exception>
    public static async ValueTask WriteAsync(HttpContext context, NvcfRequest request, InferenceResponse response, ReadOnlyMemory<byte> json, IReadOnlyList<ReadOnlyMemory<byte>> binary)
    {
        var name = Name + (binary.Count == 0 ? ".json" : ".bin");
        await WriteFileAsync(request.Context.Outputs!, name, [json, .. binary], context.RequestAborted);
        using var buffer = new JsonBuffer(1024);
        InferResponseJson.WriteHead(buffer, response);
        buffer.Write(",\"parameters\":{\"large_response_file\":"u8);
        buffer.WriteString(name);
        buffer.Write(",\"large_response_byte_size\":"u8);
        buffer.Write(json.Length + binary.Sum(static part => (long)part.Length));
        if (binary.Count > 0)
        {
            buffer.Write(",\"large_response_header_length\":"u8);
            buffer.Write(json.Length);
        }

        buffer.Write("},\"outputs\":[]}"u8);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.Length;
        await context.Response.BodyWriter.WriteAsync(buffer.Written, context.RequestAborted);
    }

    private static async Task WriteFileAsync(RequestOutputs outputs, string name, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation)
    {
        using var file = outputs.Create(name);
        try
        {
            foreach (var part in parts)
            {
                await file.Content.WriteAsync(part, cancellation);
            }
        }
        catch (IOException exception)
        {
            throw new InferenceException(InferenceError.Internal($"the response cannot be written into the output directory: {exception.Message}"), exception);
        }

        file.Complete();
    }
}
