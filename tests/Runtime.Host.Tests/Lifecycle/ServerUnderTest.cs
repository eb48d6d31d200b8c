using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;

namespace Runtime.Host.Tests.Lifecycle;

/// <summary>A listening server on free ports of the loopback address, with doors that the test gives.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    public static readonly HostOptions FreePorts = new()
    {
        HttpAddress = "127.0.0.1",
        HttpPort = 0,
        GrpcAddress = "127.0.0.1",
        GrpcPort = 0,
        MetricsPort = 0,
    };

    private ServerUnderTest(HostOptions options, Doors doors) => Server = new InferenceServer(options, () => doors, NullLoggerFactory.Instance);

    public InferenceServer Server { get; }

    public static Doors Naming { get; } = new(Says("http"), Says("grpc"), Says("metrics"));

    public static RequestDelegate Says(string text) => context => context.Response.WriteAsync(text);

    public static async Task<ServerUnderTest> StartAsync(Doors? doors = null, HostOptions? options = null)
    {
        var test = new ServerUnderTest(options ?? FreePorts, doors ?? Naming);
        test.Server.Listen();
        await test.Server.StartAsync(CancellationToken.None);
        return test;
    }

    /// <summary>Sends a text as it is and reads until the server closes the connection.</summary>
    public async Task<string> ExchangeAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Server.HttpAddress!);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    public static async Task<string> GetAsync(IPEndPoint address, Version? version = null)
    {
        using var client = new HttpClient { DefaultRequestVersion = version ?? HttpVersion.Version11, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        return await client.GetStringAsync(new Uri($"http://{address}/"));
    }

    public async ValueTask DisposeAsync()
    {
        await Server.StopAsync();
        Server.Dispose();
    }
}
