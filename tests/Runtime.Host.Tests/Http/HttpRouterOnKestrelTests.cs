using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Runtime.Host.Tests.Http;

public sealed class HttpRouterOnKestrelTests : IAsyncLifetime
{
    private readonly RouterHarness _router = new();
    private readonly WebApplication _server;

    public HttpRouterOnKestrelTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(_router.Router.HandleAsync);
    }

    public Task InitializeAsync() => _server.StartAsync();

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _router.DisposeAsync();
    }

    [Theory]
    [InlineData("GET /v2/logging HTTP/1.1\r\nHost: x", 200)]
    [InlineData("GET /v2/logging?x=1 HTTP/1.1\r\nHost: x", 200)]
    [InlineData("GET http://x/v2/logging HTTP/1.1\r\nHost: x", 200)]
    [InlineData("GET //v2/logging HTTP/1.1\r\nHost: x", 404)]
    [InlineData("GET /v2/./logging HTTP/1.1\r\nHost: x", 404)]
    [InlineData("GET /v2/a/../logging HTTP/1.1\r\nHost: x", 404)]
    [InlineData("GET /v2/%6Cogging HTTP/1.1\r\nHost: x", 404)]
    [InlineData("GET /v2/logging/ HTTP/1.1\r\nHost: x", 404)]
    [InlineData("HEAD /v2/logging HTTP/1.1\r\nHost: x", 405)]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x", 404)]
    [InlineData("POST /v2/logging HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Encoding: br\r\n\r\n{}", 200)]
    [InlineData("POST /v2/logging HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0", 200)]
    [InlineData("POST /v2/logging HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz", 400)]
    public async Task HandleAsync_RawRequest_UsesTheTargetAsItCame(string request, int status)
    {
        using var client = new TcpClient("127.0.0.1", new Uri(_server.Urls.Single()).Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request + "\r\n\r\n"));
        using var reader = new StreamReader(stream);

        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }
}
