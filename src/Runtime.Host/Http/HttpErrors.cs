using System.Text.Json;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>The only place where an error code becomes an HTTP status.</summary>
internal static class HttpErrors
{
    private const string RetryAfterSeconds = "1";

    public static int Status(ErrorCode code) => code switch
    {
        ErrorCode.NotFound => StatusCodes.Status404NotFound,
        ErrorCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        ErrorCode.Unsupported => StatusCodes.Status501NotImplemented,
        ErrorCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        ErrorCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        ErrorCode.Internal => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status400BadRequest,
    };

    /// <summary>Answers <c>{"error": "…"}</c>, if nothing has been sent yet; with <c>"details"</c> where the error has them.</summary>
    public static Task WriteAsync(HttpContext context, InferenceError error)
    {
        HttpRecord.Fail(context, error.Message, error.Code);
        if (!context.Response.HasStarted)
        {
            Head(context.Response, error.Code);
        }

        return WriteAsync(context, Status(error.Code), Body(error));
    }

    /// <summary>Sets the status, and when to come back where that is known.</summary>
    public static void Head(HttpResponse response, ErrorCode code)
    {
        response.StatusCode = Status(code);
        if (code == ErrorCode.ResourceExhausted)
        {
            response.Headers.RetryAfter = RetryAfterSeconds;
        }
    }

    /// <inheritdoc cref="WriteAsync(HttpContext, InferenceError)"/>
    public static Task WriteAsync(HttpContext context, int status, string message)
    {
        HttpRecord.Fail(context, message);
        return WriteAsync(context, status, Body(message));
    }

    public static byte[] Body(string message) => Body(message, null);

    /// <summary>The body with every fault that the error has.</summary>
    public static byte[] Body(InferenceError error) => Body(error.Message, error.Details);

    private static async Task WriteAsync(HttpContext context, int status, byte[] body)
    {
        if (context.Response.HasStarted)
        {
            return;
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        try
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone, so nobody is left to be told.
        }
    }

    private static byte[] Body(string message, IReadOnlyList<ErrorDetail>? details)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(64 + message.Length);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("error", message);
            if (details is not null)
            {
                WriteDetails(writer, details);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteDetails(Utf8JsonWriter writer, IReadOnlyList<ErrorDetail> details)
    {
        writer.WriteStartArray("details");
        foreach (var detail in details)
        {
            writer.WriteStartObject();
            writer.WriteString("input", detail.Input);
            writer.WriteString("code", detail.Code);
            writer.WriteString("message", detail.Message);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
