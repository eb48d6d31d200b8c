using System.Runtime.CompilerServices;
using Runtime.Host.Lifecycle;
using Runtime.Host.Nvcf;
using Runtime.Host.Telemetry;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>POST <c>/v2/models/{model}[/versions/{version}]/generate</c> and <c>generate_stream</c>, and the paths that models claim.</summary>
internal sealed class GenerateEndpoint(ModelRepository models, Options.HostOptions options, Admission admission, NvcfConventions? nvcf = null)
{
    private readonly long _maxInputSize = Math.Min(options.HttpMaxInputSize, Array.MaxLength - 1);
    private readonly NvcfConventions _nvcf = nvcf ?? new NvcfConventions(options);
    private readonly HeaderForwarding _forwarding = new(options.HttpHeaderForwardPattern);

    /// <summary>Answers with the model's only response, or streams its responses as server-sent events.</summary>
    public async Task HandleAsync(HttpContext context, string model, string version, GenerateForm form, RequestRecord? record = null)
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
            await ServeAsync(context, lease.Model, form, record);
        }
    }

    /// <summary>Reads the body, runs the model, writes the answer or the events.</summary>
    public async Task ServeAsync(HttpContext context, Model model, GenerateForm form, RequestRecord? record = null)
    {
        try
        {
            using var call = await ReadAsync(context, model);
            record?.Begin(call.Request, model);
            if (form.Streams(context, call.Request))
            {
                await ServerSentEvents.WriteAsync(context, model.StreamAsync(call.Request, context.RequestAborted), form.Format, options);
                call.Nvcf?.Close(keepsFiles: context.Response.StatusCode < StatusCodes.Status400BadRequest);
            }
            else
            {
                await WriteOnlyAsync(context, model, call, form.Format);
            }
        }
        catch (InferenceException exception)
        {
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

    private async ValueTask<InferCall> ReadAsync(HttpContext context, Model model)
    {
        using var body = await BodyEncoding.OpenAsync(context, _maxInputSize);
        var call = InferCall.Begin(_nvcf.TryBegin(context, model.Config));
        try
        {
            var text = await body.HoldAsync(-1);
            ModelJson.ReadGenerate(model, text, call);
            if (call.Nvcf?.Assets is { ArePending: true } assets)
            {
                await assets.FillAsync(context.RequestAborted);
            }

            _forwarding.Apply(context.Request.Headers, call.Request);
            return call;
        }
        catch
        {
            call.Dispose();
            throw;
        }
    }

    private static async Task WriteOnlyAsync(HttpContext context, Model model, InferCall call, AnswerFormat format)
    {
        InferenceResponse? only = null;
        try
        {
            await foreach (var response in Responses(model, call.Request, context.RequestAborted))
            {
                if (only is not null || response.Error is not null)
                {
                    response.Dispose();
                    throw new InferenceException(response.Error ?? NotOne(model, "more"));
                }

                only = response;
            }

            using var buffer = new JsonBuffer(1024);
            format.WriteBody(buffer, only ?? throw new InferenceException(NotOne(model, "none")));
            if (LargeResponse.Applies(call.Nvcf, buffer.Length))
            {
                await LargeResponse.WriteAsync(context, call.Nvcf!, only, buffer.Written, []);
                return;
            }

            context.Response.ContentType = "application/json";
            context.Response.ContentLength = buffer.Length;
            await context.Response.BodyWriter.WriteAsync(buffer.Written, context.RequestAborted);
        }
        finally
        {
            only?.Dispose();
        }
    }

    /// <summary>A function may both answer once and stream; here it is asked to answer once.</summary>
    internal static async IAsyncEnumerable<InferenceResponse> Responses(Model model, InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (model.AnswersOnce)
        {
            yield return await model.InferAsync(request, cancellation);
            yield break;
        }

        await foreach (var response in model.StreamAsync(request, cancellation))
        {
            yield return response;
        }
    }

    private static InferenceError NotOne(Model model, string got) => InferenceError.InvalidArgument(
        $"generate expects model '{model.Name}' to produce exactly 1 response, got {got}; use generate stream for models that generate various numbers of responses");
}
