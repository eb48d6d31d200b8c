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

    private static string NotReady(string model, string version)
        => version.Length == 0 ? $"Model version not ready: no version of '{model}' serves" : $"Model version not ready: version {version} of '{model}' does not serve";

    private static Task StatusAsync(HttpContext context, bool good)
        => JsonResponse.EmptyAsync(context, good ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
}
