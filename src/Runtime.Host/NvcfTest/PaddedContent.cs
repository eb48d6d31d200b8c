using System.Net;

namespace Runtime.Host.NvcfTest;

/// <summary>A body with blanks before it, made while it is sent.</summary>
internal sealed class PaddedContent(long padding, byte[] body) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var blanks = new byte[64 << 10];
        blanks.AsSpan().Fill((byte)' ');
        for (var left = padding; left > 0; left -= blanks.Length)
        {
            await stream.WriteAsync(blanks.AsMemory(0, (int)Math.Min(left, blanks.Length)), cancellationToken);
        }

        await stream.WriteAsync(body, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = padding + body.Length;
        return true;
    }
}
