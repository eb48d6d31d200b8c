using System.Net;
using System.Threading.Channels;

namespace Runtime.Host.Tests.Grpc;

/// <summary>A request body that stays open until the test ends it. What it begins with must be answered, since a client waits for the response's head.</summary>
internal sealed class OpenBody(byte[] beginning) : HttpContent
{
    private readonly Channel<byte[]> _rest = Channel.CreateUnbounded<byte[]>();

    /// <summary>Sends more of it.</summary>
    public void Send(byte[] bytes) => Assert.True(_rest.Writer.TryWrite(bytes));

    public void End() => _rest.Writer.TryComplete();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, default);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await WriteAsync(stream, beginning);
        await foreach (var bytes in _rest.Reader.ReadAllAsync(cancellationToken))
        {
            await WriteAsync(stream, bytes);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private static async Task WriteAsync(Stream stream, byte[] bytes)
    {
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }
}
