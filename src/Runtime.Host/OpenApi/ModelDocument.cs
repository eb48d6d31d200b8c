using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.OpenApi;

/// <summary>Describes the protocol and every model that is loaded; to be added to any OpenAPI document.</summary>
internal sealed class ModelDocument(ModelRepository models, ModelRoutes routes) : IOpenApiDocumentTransformer
{
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Components ??= new OpenApiComponents();
        document.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>();
        document.Components.Schemas[Operations.ErrorSchema] = Operations.Error();
        ProtocolPaths.AddTo(document);
        var paths = routes.All;
        foreach (var name in models.Index(readyOnly: true).Select(entry => entry.Name).Distinct().Order(StringComparer.Ordinal))
        {
            if (models.TryAcquire(name, "", out var lease) is null)
            {
                using (lease)
                {
                    ModelPaths.AddTo(document, lease.Model, paths.Where(route => route.Value.Model == name).OrderBy(route => route.Key, StringComparer.Ordinal));
                }
            }
        }

        var operations = document.Paths.Values.SelectMany(path => path.Operations ?? []).Select(operation => operation.Value);
        document.Tags = operations.SelectMany(operation => operation.Tags ?? new HashSet<OpenApiTagReference>())
            .Select(tag => tag.Reference.Id!)
            .Distinct()
            .Select(name => new OpenApiTag { Name = name })
            .ToHashSet();
        return Task.CompletedTask;
    }
}
