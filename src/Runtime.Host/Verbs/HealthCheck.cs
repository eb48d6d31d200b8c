using System.Net;
using System.Net.Sockets;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Protocol.Health;

namespace Runtime.Host.Verbs;

/// <summary>Asks a host on this machine whether it is ready, over HTTP or, where that is off, over gRPC: the health check of a container.</summary>
internal static class HealthCheck
{
    private const string FirstProcess = "/proc/1/cmdline";
    private const int FramePrefix = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var line = args.Count == 0 && File.Exists(FirstProcess) ? await File.ReadAllTextAsync(FirstProcess) : "";
        var (options, _, _) = HostOptionsBinder.Bind(args.Count > 0 ? args : ArgumentsIn(line), HostOptionsBinder.Environment(), Directory.GetCurrentDirectory());
        using var limit = new CancellationTokenSource(Patience);
        if (await AskAsync(options, limit.Token) is { } fault)
        {
            throw new StartException(fault);
        }

        Console.WriteLine("ready");
        return 0;
    }

    /// <summary>What a host was given, in a line of a process in which every argument ends with a NUL; nothing if no host is in it.</summary>
    internal static IReadOnlyList<string> ArgumentsIn(string line)
    {
        var words = line.Split('\0');
        var host = Array.FindIndex(words, word => Path.GetFileNameWithoutExtension(word) is "runtime-host" or "tritonserver");
        return host < 0 ? [] : words[(host + 1)..^1];
    }

    /// <summary>Why the host with these options is not ready; null when it is.</summary>
    internal static async Task<string?> AskAsync(HostOptions options, CancellationToken cancellation)
    {
        var (address, port, restricted, prefix) = options.AllowHttp
            ? (options.HttpAddress, options.HttpPort, options.HttpRestrictedApi, "")
            : (options.GrpcAddress, options.GrpcPort, options.GrpcRestrictedProtocol, Http.RestrictedApi.GrpcHeaderPrefix);
        var root = new Uri($"http://{(address is "*" or "0.0.0.0" or "::" ? "localhost" : address.Contains(':') ? $"[{address}]" : address)}:{port}/");
        using var request = options.AllowHttp ? new HttpRequestMessage(HttpMethod.Get, new Uri(root, "v2/health/ready")) : GrpcRequest(root);
        foreach (var (name, value) in Keys(restricted, prefix))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            using var response = await client.SendAsync(request, cancellation);
            var isReady = response.IsSuccessStatusCode
                && (options.AllowHttp || IsServing(await response.Content.ReadAsByteArrayAsync(cancellation)));
            return isReady ? null : $"not ready: {request.RequestUri} answers {(int)response.StatusCode}";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException)
        {
            return $"{request.RequestUri} does not answer: {e.Message}";
        }
    }

    private static HttpRequestMessage GrpcRequest(Uri root)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(root, "grpc.health.v1.Health/Check"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[FramePrefix]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        return request;
    }

    private static bool IsServing(byte[] answer)
        => answer.Length > FramePrefix
        && HealthCheckResponse.Parser.ParseFrom(answer[FramePrefix..]).Status == HealthCheckResponse.Types.ServingStatus.Serving;

    /// <summary>The header that entries such as <c>health,metadata:key=value</c> want for health.</summary>
    private static IEnumerable<(string Name, string Value)> Keys(IReadOnlyList<string> restricted, string prefix)
        => from entry in restricted
           let parts = entry.Split(':', 2)
           where parts.Length == 2 && parts[0].Split(',', StringSplitOptions.TrimEntries).Contains("health")
           let key = parts[1].Split('=', 2)
           where key.Length == 2
           select (prefix + key[0].Trim(), key[1].Trim());
}
