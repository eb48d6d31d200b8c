using System.Net;
using System.Net.Sockets;
using System.Text;
using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

/// <summary>What needs a real connection.</summary>
[Collection("pool")]
public sealed class InferServerTests : IDisposable
{
    private readonly long _lent = TensorPool.Shared.Outstanding;

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    [Theory]
    [InlineData("Content-Encoding:", "HTTP/1.1 501 ")]
    [InlineData("Inference-Header-Content-Length:", "HTTP/1.1 400 ")]
    [InlineData("Accept-Encoding:", "HTTP/1.1 200 ")]
    public async Task Serve_EmptyHeader_Answers(string header, string expected)
    {
        using var model = EchoModel.Create(DataType.Int32);
        await using var server = await StartAsync(model);
        var body = """{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"INT32","data":[1]}]}""";
        var answer = await SendAsync(server, $"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        Assert.StartsWith(expected, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_LargeTensor_ComesBackWhole()
    {
        using var model = EchoModel.Create(DataType.Fp32);
        await using var server = await StartAsync(model);
        var values = string.Join(',', Enumerable.Range(0, 150_528).Select(i => (i / 4f).ToString("0.0###", System.Globalization.CultureInfo.InvariantCulture)));
        using var content = new StringContent($$"""{"inputs":[{"name":"INPUT0","shape":[150528],"datatype":"FP32","data":[{{values}}]}]}""");
        using var answer = await server.Client.PostAsync(new Uri("/", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.EndsWith($"\"data\":[{values}]}}]}}", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_ConnectionCutInBody_FreesEverything()
    {
        using var model = EchoModel.Create(DataType.Int32);
        var began = new TaskCompletionSource();
        var served = new TaskCompletionSource();
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        await using var server = await LocalServer.StartAsync(async context =>
        {
            began.SetResult();
            await endpoint.ServeAsync(context, model);
            served.SetResult();
        });
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
            var json = """{"inputs":[{"name":"INPUT0","shape":[100000],"datatype":"INT32","parameters":{"binary_data_size":400000}}]}""";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {json.Length + 400_000}\r\nInference-Header-Content-Length: {json.Length}\r\n\r\n{json}{new string('x', 50_000)}"));
            await began.Task; // cut before the request is read, the connection would never reach the endpoint
            client.Client.LingerState = new LingerOption(true, 0);
        }

        await served.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static Task<LocalServer> StartAsync(Runtime.Models.Model model)
    {
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        return LocalServer.StartAsync(context => endpoint.ServeAsync(context, model));
    }

    private static async Task<string> SendAsync(LocalServer server, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
        return await new StreamReader(client.GetStream()).ReadToEndAsync();
    }
}
