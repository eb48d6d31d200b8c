using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using Runtime.Backends.Tests.Torch;
using Runtime.Host.Embedding;

namespace Runtime.Host.Tests.Http;

/// <summary>A TorchScript model behind the whole host.</summary>
public sealed class TorchOverHttpTests : IAsyncLifetime
{
    private const string Shape = "\"name\":\"image\",\"shape\":[1,1,2,3],\"datatype\":\"UINT8\"";

    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddRuntime(runtime => runtime.Options = new()
        {
            ModelRepository = [Path.Combine(AppContext.BaseDirectory, "models-torch")],
            ModelControlMode = "explicit",
        });
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapRuntime();
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [TorchFact]
    public async Task Infer_Json_AnswersTheDictionarysKeys()
    {
        await LoadAsync();
        var (status, answer) = await SendAsync(Encoding.UTF8.GetBytes($$"""{"inputs":[{{{Shape}},"data":[255,0,0,255,255,255]}]}"""), null);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("""{"name":"mean","datatype":"FP32","shape":[1,3],"data":[255.0,127.5,127.5]}""", Encoding.UTF8.GetString(answer), StringComparison.Ordinal);
    }

    [TorchFact]
    public async Task Infer_Binary_AnswersBytes()
    {
        await LoadAsync();
        var head = Encoding.UTF8.GetBytes($$$"""{"inputs":[{{{{Shape}}},"parameters":{"binary_data_size":6}}],"outputs":[{"name":"mean","parameters":{"binary_data":true}}]}""");
        var (status, answer) = await SendAsync([.. head, 255, 0, 0, 255, 255, 255], head.Length);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal([255f, 127.5f, 127.5f], MemoryMarshal.Cast<byte, float>(answer.AsSpan(answer.Length - 12)).ToArray());
    }

    [TorchFact]
    public async Task Infer_WrongShape_IsBadRequestWithASentence()
    {
        await LoadAsync();
        var (status, answer) = await SendAsync("""{"inputs":[{"name":"image","shape":[1,1,2,2],"datatype":"UINT8","data":[1,2,3,4]}]}"""u8.ToArray(), null);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("image", Encoding.UTF8.GetString(answer), StringComparison.Ordinal);
    }

    private async Task LoadAsync()
    {
        using var answer = await _client.PostAsync(new Uri("/v2/repository/models/image_colors/load", UriKind.Relative), null);
        Assert.Equal("", await answer.Content.ReadAsStringAsync());
    }

    private async Task<(HttpStatusCode Status, byte[] Answer)> SendAsync(byte[] body, int? headerLength)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(headerLength is null ? "application/json" : "application/octet-stream");
        if (headerLength is { } length)
        {
            content.Headers.Add("Inference-Header-Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }

        using var answer = await _client.PostAsync(new Uri("/v2/models/image_colors/infer", UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsByteArrayAsync());
    }
}
