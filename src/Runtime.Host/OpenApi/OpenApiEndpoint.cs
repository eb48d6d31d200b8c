using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.OpenApi;
using Runtime.Host.Http;
using Runtime.Models;

namespace Runtime.Host.OpenApi;

/// <summary>GET <c>/openapi/v1.json</c>: the document of what is loaded now. Made on demand and kept until a model changes.</summary>
internal sealed class OpenApiEndpoint
{
    private const string Document = "v1";

    private readonly Lazy<ServiceProvider> _services;
    private readonly ModelRepository _models;
    private readonly Lock _gate = new();
    private Task<byte[]>? _text;
    private string _stateOfText = "";
    private int _changes;

    public OpenApiEndpoint(ModelRepository models, ModelRoutes routes)
    {
        _services = new Lazy<ServiceProvider>(() => Services(new ModelDocument(models, routes)));
        _models = models;
        models.Changed += _ => Interlocked.Increment(ref _changes);
    }

    public async Task HandleAsync(HttpContext context)
    {
        var text = await TextAsync();
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = text.Length;
        await context.Response.Body.WriteAsync(text, context.RequestAborted);
    }

    /// <summary>The text as of the last change; made once, however many ask for it.</summary>
    private Task<byte[]> TextAsync()
    {
        lock (_gate)
        {
            var state = State();
            if (_text is null || _text.IsFaulted || _stateOfText != state)
            {
                (_stateOfText, _text) = (state, WriteAsync());
            }

            return _text;
        }
    }

    /// <summary>What the document shows: the versions that serve, and how often a model has changed.</summary>
    private string State() => string.Join(' ', _models.Index(readyOnly: true).Select(entry => $"{entry.Name}/{entry.Version}").Prepend($"{_changes}"));

    private async Task<byte[]> WriteAsync()
    {
        var document = await _services.Value.GetRequiredKeyedService<IOpenApiDocumentProvider>(Document).GetOpenApiDocumentAsync();
        using var stream = new MemoryStream();
        await document.SerializeAsJsonAsync(stream, OpenApiSpecVersion.OpenApi3_1);
        return stream.ToArray();
    }

    /// <summary>The few services that the document's generator wants; the host itself has no container.</summary>
    private static ServiceProvider Services(ModelDocument models)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddRouting().AddEndpointsApiExplorer().AddSingleton<IHostEnvironment>(new Surroundings());
        services.AddOpenApi(Document, options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddDocumentTransformer(models);
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo { Title = "Runtime", Version = Document, Description = "KServe v2 with Triton's extensions, and each loaded model." };
                return Task.CompletedTask;
            });
        });
        return services.BuildServiceProvider();
    }

    private sealed class Surroundings : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Production;

        public string ApplicationName { get; set; } = "runtime-host";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
