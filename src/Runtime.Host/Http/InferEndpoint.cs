using Runtime.Host.Lifecycle;
using Runtime.Host.Nvcf;
using Runtime.Host.SharedMemory;
using Runtime.Host.Telemetry;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>POST <c>/v2/models/{model}[/versions/{version}]/infer</c>.</summary>
internal sealed class InferEndpoint(ModelRepository models, Options.HostOptions options, SharedMemoryRegions regions, Admission admission, NvcfConventions? nvcf = null)
{
    private readonly InferRequestReader _reader = new(options, regions, nvcf);

    /// <summary>Answers the request; its body is unread when there is no such model or too much in flight.</summary>
    public async Task HandleAsync(HttpContext context, string model, string version, RequestRecord? record = null)
    {
        var error = models.TryAcquire(model, version, out var lease);
        if (error is not null)
        {
            await HttpErrors.WriteAsync(context, error);
            return;
        }

        using (lease)
        {
            error = admission.TryEnter(lease.Model, Math.Min(context.Request.ContentLength ?? long.MaxValue, options.HttpMaxInputSize), out var ticket);
            if (error is not null)
            {
                await HttpErrors.WriteAsync(context, error);
                return;
            }

            using var admitted = ticket;
            await ServeAsync(context, lease.Model, record);
        }
    }

    /// <summary>Reads the body, runs the model, writes the answer.</summary>
    public async Task ServeAsync(HttpContext context, Model model, RequestRecord? record = null)
    {
        try
        {
            var streams = ServerSentEvents.AreAccepted(context);
            if (model.Config.IsDecoupled && !streams)
            {
                throw new InferenceException(ErrorCode.Unsupported, "HTTP end point doesn't support models with decoupled transaction policy; accept text/event-stream to get their responses as events");
            }

            using var call = await _reader.ReadAsync(context, model);
            record?.Begin(call.Request, model);
            if (streams)
            {
                var format = AnswerFormat.Infer(call, options.HttpHalfPrecisionJson);
                await ServerSentEvents.WriteAsync(context, model.StreamAsync(call.Request, context.RequestAborted), format, options);
                call.Nvcf?.Close(keepsFiles: context.Response.StatusCode < StatusCodes.Status400BadRequest);
                return;
            }

            using var response = await model.InferAsync(call.Request, context.RequestAborted);
            if (response.Error is { } error)
            {
                await HttpErrors.WriteAsync(context, error);
                return;
            }

            await InferResponseWriter.WriteAsync(context, response, call, options.HttpHalfPrecisionJson);
        }
        catch (InferenceException exception)
        {
            model.Report(exception.Error);
            await HttpErrors.WriteAsync(context, exception.Error.Naming(model.Name));
        }
        catch (BadHttpRequestException exception)
        {
            await HttpErrors.WriteAsync(context, exception.StatusCode, exception.Message);
        }
        catch (Exception exception) when (exception is IOException || (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested))
        {
            // There is nobody to answer; and Kestrel, which would read on where a read failed, need not.
            context.Abort();
            record?.IsClientGone = true;
        }
    }
}
