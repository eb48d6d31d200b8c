using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Writes responses as server-sent events: <c>data: {…}</c> and an empty line.</summary>
internal static class ServerSentEvents
{
    private const string ContentType = "text/event-stream; charset=utf-8";

    /// <summary>One event per response, sent at once. An error is the last event; as the first it is the answer's status too.</summary>
    public static async Task WriteAsync(HttpContext context, IAsyncEnumerable<InferenceResponse> responses)
    {
        using var buffer = new JsonBuffer(1024);
        await foreach (var response in responses)
        {
            using (response)
            {
                var error = response.Error ?? TryFormat(buffer, response);
                if (error is not null)
                {
                    await WriteErrorAsync(context, error);
                    return;
                }

                Begin(context);
                await context.Response.BodyWriter.WriteAsync(buffer.Written, context.RequestAborted);
            }
        }

        Begin(context);
    }

    private static void Begin(HttpContext context)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = ContentType;
        }
    }

    /// <summary>An error event; it sets the status if nothing has been sent yet.</summary>
    public static async Task WriteErrorAsync(HttpContext context, InferenceError error)
    {
        if (!context.Response.HasStarted)
        {
            HttpErrors.Head(context.Response, error.Code);
            context.Response.ContentType = ContentType;
        }

        byte[] body = [.. "data: "u8, .. HttpErrors.Body(error.Message), .. "\n\n"u8];
        await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    private static InferenceError? TryFormat(JsonBuffer buffer, InferenceResponse response)
    {
        try
        {
            buffer.Clear();
            buffer.Write("data: "u8);
            GenerateJson.Write(buffer, response);
            buffer.Write("\n\n"u8);
            return null;
        }
        catch (InferenceException exception)
        {
            return exception.Error;
        }
    }
}
