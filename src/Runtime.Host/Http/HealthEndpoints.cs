using Runtime.Host.Lifecycle;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>GET <c>/v2/health/live</c>, <c>/v2/health/ready</c> and <c>/v2/models/{model}[/versions/{version}]/ready</c>: the status is the answer.</summary>
internal sealed class HealthEndpoints(ServerState state, ModelRepository models)
{
    public Task LiveAsync(HttpContext context) => StatusAsync(context, state.IsLive);

    public Task ReadyAsync(HttpContext context) => StatusAsync(context, state.IsReady);

    public Task ModelReadyAsync(HttpContext context, string model, string version) => models.IsModelReady(model, version, out var error)
        ? JsonResponse.EmptyAsync(context)
        : HttpErrors.WriteAsync(context, StatusCodes.Status400BadRequest, error?.Message ?? NotReady(model, version));

    /// <summary>The health of a model at a path of its own: <c>{"status":"OK"}</c>, or 503.</summary>
    public Task OwnAsync(HttpContext context, string model)
    {
        if (!models.IsModelReady(model, "", out var error) || !state.IsReady)
        {
            return HttpErrors.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, error?.Message ?? NotReady(model, ""));
        }

        return JsonResponse.WriteAsync(context, "OK", static (writer, status) =>
        {
            writer.WriteStartObject();
            writer.WriteString("status", status);
            writer.WriteEndObject();
        });
    }

    private static string NotReady(string model, string version)
        => version.Length == 0 ? $"Model version not ready: no version of '{model}' serves" : $"Model version not ready: version {version} of '{model}' does not serve";

    private static Task StatusAsync(HttpContext context, bool good)
        => JsonResponse.EmptyAsync(context, good ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
}
