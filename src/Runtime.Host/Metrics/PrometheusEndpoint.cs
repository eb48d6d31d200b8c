using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.Metrics;

/// <summary>The metrics port's only handler: GET of any path gives the metrics of the models that serve now, and of the machine.</summary>
internal sealed class PrometheusEndpoint(ModelRepository models)
{
    private readonly MachineMetrics _machine = new();

    public async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET";
            await HttpErrors.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");
            return;
        }

        models.TryList("", "", out var serving);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        var text = new PrometheusText(context.Response.BodyWriter);
        ModelMetrics.Write(text, [.. serving.Select(model => new ModelSample(model.Name, model.Version, model.Statistics.Snapshot()))]);
        _machine.Write(text);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
