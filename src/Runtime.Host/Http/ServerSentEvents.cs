using Runtime.Host.Options;
using Runtime.Host.Telemetry;
using Runtime.Inference;

namespace Runtime.Host.Http;

/// <summary>Answers with server-sent events: one JSON object a response, sent at once.</summary>
internal static class ServerSentEvents
{
    private const string MediaType = "text/event-stream";

    /// <summary>Whether the client asks for events, as browsers' EventSource does; <c>*/*</c> asks for nothing.</summary>
    public static bool AreAccepted(HttpContext context)
    {
        foreach (var header in context.Request.Headers.Accept)
        {
            foreach (var range in (header ?? "").AsSpan().Split(','))
            {
                var media = header.AsSpan()[range];
                var end = media.IndexOf(';');
                if ((end < 0 ? media : media[..end]).Trim().Equals(MediaType, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// One event per response. An error before the first event is a plain answer with its status; later it is an <c>error</c>
    /// event, the last. The responses are disposed whatever happens, and their enumeration ended.
    /// </summary>
    public static async Task WriteAsync(HttpContext context, IAsyncEnumerable<InferenceResponse> responses, AnswerFormat format, HostOptions options)
    {
        using var buffer = new JsonBuffer(1024);
        await using var stream = new EventStream(context, options, TimeProvider.System);
        var record = context.Features.Get<RequestRecord>();
        await foreach (var response in responses)
        {
            using (response)
            {
                var error = response.Error ?? TryFormat(buffer, response, format);
                if (error is not null)
                {
                    await WriteErrorAsync(context, stream, error);
                    return;
                }

                await stream.SendAsync(buffer.Written);
                record?.BytesOut = stream.BytesSent;
            }
        }

        await stream.EndAsync();
        record?.BytesOut = stream.BytesSent;
    }

    private static async Task WriteErrorAsync(HttpContext context, EventStream stream, InferenceError error)
    {
        if (!context.Response.HasStarted)
        {
            await HttpErrors.WriteAsync(context, error);
            return;
        }

        HttpRecord.Fail(context, error.Message, error.Code);
        await stream.SendAsync((byte[])[.. "event: error\ndata: "u8, .. HttpErrors.Body(error), .. "\n\n"u8]);
    }

    private static InferenceError? TryFormat(JsonBuffer buffer, InferenceResponse response, AnswerFormat format)
    {
        try
        {
            buffer.Clear();
            format.WriteEvent(buffer, response);
            return null;
        }
        catch (InferenceException exception)
        {
            return exception.Error;
        }
    }
}
