using System.Net;

namespace Runtime.Host.Tests.Grpc;

/// <summary>A request body that stays open until the test ends it. What it begins with must be answered, since a client waits for the response's head.</summary>
internal sealed class OpenBody(byte[] beginning) : HttpContent
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void End() => _end.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.WriteAsync(beginning);
        await stream.FlushAsync();
        await _end.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
