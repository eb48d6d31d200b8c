using Runtime.Host.Telemetry;

namespace Runtime.Host.Http;

/// <summary>What HTTP knows of an observed request; errors find its record among the request's features.</summary>
internal static class HttpRecord
{
    /// <summary>Notes why the request fails, if it is observed.</summary>
    public static void Fail(HttpContext context, string message, Inference.ErrorCode? code = null) => context.Features.Get<RequestRecord>()?.Fail(message, code);

    /// <summary>Notes what a door lets escape, for which somebody else answers.</summary>
    public static void Fail(RequestRecord record, HttpContext context, Exception exception)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            record.IsClientGone = true;
            return;
        }

        record.Fail(exception.Message);
        context.Response.StatusCode = context.Response.HasStarted ? context.Response.StatusCode
            : exception is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
    }

    /// <summary>Notes how the request was answered.</summary>
    public static void Complete(RequestRecord record, HttpResponse response)
    {
        // A model that was told to stop says so to nobody.
        record.IsClientGone |= record.Code == Inference.ErrorCode.Cancelled && response.HttpContext.RequestAborted.IsCancellationRequested;
        record.Status = record.IsClientGone && !response.HasStarted ? StatusCodes.Status499ClientClosedRequest : response.StatusCode;
        record.BytesOut = response.HasStarted && response.ContentLength is { } length ? length : record.BytesOut;
    }
}
