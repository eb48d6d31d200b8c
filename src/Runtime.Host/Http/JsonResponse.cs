using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Runtime.Host.Http;

/// <summary>Writes the small JSON answers, those without tensors.</summary>
internal static class JsonResponse
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers 200 with what <paramref name="write"/> writes.</summary>
    public static async Task WriteAsync<T>(HttpContext context, T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            write(writer, value);
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Answers that status without a body.</summary>
    public static Task EmptyAsync(HttpContext context, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>Answers the error, or 200 without a body where there is none.</summary>
    public static Task EmptyOrErrorAsync(HttpContext context, Inference.InferenceError? error)
        => error is null ? EmptyAsync(context) : HttpErrors.WriteAsync(context, error);
}
