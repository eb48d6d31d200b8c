namespace Runtime.Host.Http;

/// <summary>POST <c>/v2/models/{model}[/versions/{version}]/generate</c> and <c>generate_stream</c>.</summary>
internal sealed class GenerateEndpoint
{
    public Task HandleAsync(HttpContext context, string model, string version, bool stream) => throw new NotSupportedException();
}
