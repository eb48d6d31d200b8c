namespace Runtime.Host.Http;

/// <summary>POST <c>/v2/models/{model}[/versions/{version}]/infer</c>.</summary>
internal sealed class InferEndpoint
{
    public Task HandleAsync(HttpContext context, string model, string version) => throw new NotSupportedException();
}
