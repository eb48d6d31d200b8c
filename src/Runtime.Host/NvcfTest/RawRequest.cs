using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Runtime.Host.NvcfTest;

/// <summary>A request whose body is sent in pieces, or never to its end; disposing it closes the connection.</summary>
internal sealed class RawRequest : IDisposable
{
    private readonly TcpClient _client = new();
    private readonly byte[] _body;
    private int _sent;

    private RawRequest(byte[] body) => _body = body;

    /// <summary>Connects and sends the head.</summary>
    public static async Task<RawRequest> OpenAsync(Uri url, Invocation invocation, IEnumerable<(string Name, string Value)> headers, bool expectsContinue, CancellationToken cancellation)
    {
        var request = new RawRequest(invocation.Body);
        try
        {
            var head = new StringBuilder()
                .Append(CultureInfo.InvariantCulture, $"{invocation.Method} {invocation.Path} HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\n")
                .Append(CultureInfo.InvariantCulture, $"Content-Length: {invocation.Body.Length}\r\n{(expectsContinue ? "Expect: 100-continue\r\n" : "")}");
            foreach (var (name, value) in headers)
            {
                head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
            }

            await request._client.ConnectAsync(url.Host, url.Port, cancellation);
            await request._client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(head.Append("\r\n").ToString()), cancellation);
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    /// <summary>Sends the body up to a share of it, from 0 to 1.</summary>
    public async Task SendAsync(double share, CancellationToken cancellation)
    {
        var end = (int)(_body.Length * share);
        await _client.GetStream().WriteAsync(_body.AsMemory(_sent..end), cancellation);
        _sent = end;
    }

    /// <summary>The status of the next response, interim ones included; null where none comes in time or the connection ends.</summary>
    public async Task<int?> ReadStatusAsync(TimeSpan most, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(most);
        try
        {
            var head = new List<byte>();
            var next = new byte[1];
            while (!EndsHead(head) && await _client.GetStream().ReadAsync(next, limit.Token) > 0)
            {
                head.Add(next[0]);
            }

            var parts = Encoding.Latin1.GetString([.. head]).Split(' ', 3);
            return parts.Length > 1 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;
        }
        catch (Exception exception) when (exception is IOException || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();

    private static bool EndsHead(List<byte> head) => head.Count >= 4 && head[^4] == '\r' && head[^3] == '\n' && head[^2] == '\r' && head[^1] == '\n';
}
