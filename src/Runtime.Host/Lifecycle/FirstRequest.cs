using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Runtime.Backends;
using Runtime.Host.Http;
using Runtime.Host.Settings;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>
/// Sends inferences through doors and a model of their own, on a loopback port that nobody else knows, while models load for long:
/// what the process compiles and binds for its first request is there before the first client is. A short start would only
/// become longer by it (measured: ready 70 ms later, the first request 26 ms faster). A failure is of no consequence.
/// </summary>
internal static class FirstRequest
{
    private const string Model = "first";
    private const string Json = """{"inputs":[{"name":"X","datatype":"FP32","shape":[1,4],"data":[0.5,1,2,3]}]}""";
    private const string Binary = """{"inputs":[{"name":"X","datatype":"FP32","shape":[1,4],"parameters":{"binary_data_size":16}}],"parameters":{"binary_data_output":true}}""";

    /// <summary>What it may take of a start, however busy the machine is.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    private static readonly HostOptions Options = new() { HttpAddress = "127.0.0.1", HttpPort = 0, AllowGrpc = false, AllowMetrics = false, AllowGpuMetrics = false };

    /// <summary>How long a start must take to be a long one.</summary>
    public static readonly TimeSpan LongStart = TimeSpan.FromMilliseconds(400);

    /// <returns>Whether they were answered as they should be.</returns>
    public static async Task<bool> SendAsync(CancellationToken cancellation)
    {
        try
        {
            return await RunAsync(cancellation);
        }
        catch (Exception e) when (e is SocketException or IOException or StartException or OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task<bool> RunAsync(CancellationToken cancellation)
    {
        await using var models = new ModelRepository(new RepositoryOptions { Directories = [] }, [new IdentityBackend()]);
        using var state = new ServerState(strictReadiness: false, static () => true);
        using var doors = new DoorFactory(Options, new HostedModels(models, new ModelRoutes()), new Admission(Options, state), new LogSettings(Options), NullLoggerFactory.Instance);
        using var server = new InferenceServer(Options, doors.Create, NullLoggerFactory.Instance);
        server.Listen();
        await server.StartAsync(cancellation);
        state.Started();
        if (await models.AddAsync(Config(), cancellation) is not null)
        {
            return false;
        }

        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.HttpAddress!, cancellation);
        var isAnswered = await AskAsync(socket, Json, "", [], cancellation) && await AskAsync(socket, Binary, $"Inference-Header-Content-Length: {Binary.Length}\r\n", new byte[16], cancellation);
        socket.Close();
        await server.StopAsync(TimeSpan.Zero);
        return isAnswered;
    }

    private static async Task<bool> AskAsync(Socket socket, string text, string header, byte[] data, CancellationToken cancellation)
    {
        var head = $"POST /v2/models/{Model}/infer HTTP/1.1\r\nHost: first\r\nContent-Type: application/json\r\n{header}Content-Length: {text.Length + data.Length}\r\n\r\n";
        byte[] request = [.. Encoding.ASCII.GetBytes(head + text), .. data];
        await socket.SendAsync(request, cancellation);
        var answer = new byte[1024]; // these answers are a third of that, and come in one piece
        var length = await socket.ReceiveAsync(answer, cancellation);
        return answer.AsSpan(0, length).StartsWith("HTTP/1.1 200 "u8);
    }

    private static Protocol.ModelConfig Config()
    {
        var config = new Protocol.ModelConfig { Name = Model, Backend = "identity", MaxBatchSize = 1 };
        config.Input.Add(new Protocol.ModelInput { Name = "X", DataType = Protocol.DataType.TypeFp32, Dims = { 4 } });
        config.Output.Add(new Protocol.ModelOutput { Name = "X", DataType = Protocol.DataType.TypeFp32, Dims = { 4 } });
        return config;
    }
}
