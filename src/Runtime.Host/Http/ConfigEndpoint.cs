using Runtime.Models;
using Runtime.Models.Configuration;

namespace Runtime.Host.Http;

/// <summary>GET <c>/v2/models/{model}[/versions/{version}]/config</c>: the configuration in force, what was completed included.</summary>
internal sealed class ConfigEndpoint(ModelRepository models)
{
    public Task HandleAsync(HttpContext context, string model, string version)
    {
        var error = models.TryAcquire(model, version, out var lease);
        if (error is not null)
        {
            return HttpErrors.WriteAsync(context, error);
        }

        using (lease)
        {
            return JsonResponse.WriteAsync(context, lease.Model.Config.Message, static (writer, config) => ModelConfigJson.Write(config, writer));
        }
    }
}
