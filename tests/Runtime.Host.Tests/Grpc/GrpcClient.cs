using System.Globalization;
using System.Net;
using Google.Protobuf;
using Runtime.Host.Grpc;

namespace Runtime.Host.Tests.Grpc;

/// <summary>What a call ended with.</summary>
internal sealed record GrpcAnswer(GrpcStatusCode Status, string Message, IReadOnlyList<byte[]> Messages, HttpResponseMessage Response)
{
    public T Read<T>(MessageParser<T> parser)
        where T : IMessage<T>
    {
        Assert.True(Status == GrpcStatusCode.Ok, $"{Status}: {Message}");
        return parser.ParseFrom(Assert.Single(Messages));
    }

    /// <summary>The status that the case expects, with a message.</summary>
    public void AssertFails(GrpcStatusCode status, string messagePart)
    {
        Assert.Equal(status, Status);
        Assert.Contains(messagePart, Message, StringComparison.Ordinal);
        Assert.Empty(Messages);
    }
}

/// <summary>gRPC by hand over HttpClient's HTTP/2 with prior knowledge.</summary>
internal sealed class GrpcClient : IDisposable
{
    public const string Inference = "/inference.GRPCInferenceService/";

    private readonly HttpClient _http;
    private int _connections;

    public GrpcClient(Uri address)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            PlaintextStreamFilter = (context, _) =>
            {
                Interlocked.Increment(ref _connections);
                return ValueTask.FromResult(context.PlaintextStream);
            },
        };
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>How many connections it has opened.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public Task<GrpcAnswer> CallAsync(string path, IMessage message, params (string Name, string Value)[] headers)
        => CallAsync(path, Frames.Of(message.ToByteArray()), headers);

    public Task<GrpcAnswer> CallAsync(string path, byte[] body, params (string Name, string Value)[] headers) => CallAsync(path, body, CancellationToken.None, headers);

    /// <summary>A call that the client may reset.</summary>
    public Task<GrpcAnswer> CallAsync(string path, IMessage message, CancellationToken cancellation) => CallAsync(path, Frames.Of(message.ToByteArray()), cancellation);

    private async Task<GrpcAnswer> CallAsync(string path, byte[] body, CancellationToken cancellation, params (string Name, string Value)[] headers)
    {
        using var request = Request(path, new ByteArrayContent(body), headers);
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
        var frames = await response.Content.ReadAsByteArrayAsync(cancellation);
        return Answer(response, response.Content.Headers.Contains("grpc-encoding") || response.Headers.Contains("grpc-encoding") ? [frames] : Frames.Split(frames));
    }

    /// <summary>A call whose body the caller writes, and whose response it reads, as it goes.</summary>
    public Task<HttpResponseMessage> SendAsync(string path, HttpContent body, CancellationToken cancellation)
        => _http.SendAsync(Request(path, body), HttpCompletionOption.ResponseHeadersRead, cancellation);

    /// <summary>A request that is not gRPC.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return _http.SendAsync(request);
    }

    public static GrpcStatusCode Status(HttpResponseMessage response) => (GrpcStatusCode)int.Parse(Trailer(response, "grpc-status"), CultureInfo.InvariantCulture);

    public void Dispose() => _http.Dispose();

    private static GrpcAnswer Answer(HttpResponseMessage response, IReadOnlyList<byte[]> messages)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.MediaType);
        return new GrpcAnswer(Status(response), Uri.UnescapeDataString(Trailer(response, "grpc-message")), messages, response);
    }

    private static string Trailer(HttpResponseMessage response, string name)
        => response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? Assert.Single(values) : "";

    private static HttpRequestMessage Request(string path, HttpContent body, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        body.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }
}
