using System.Globalization;
using System.IO.Pipelines;
using Runtime.Host.Http;

namespace Runtime.Host.Lifecycle;

/// <summary>
/// Gives the web server's own refusals, of heads that are malformed, too long or too slow and so never reach a door, the body
/// that every other error has. It looks only at what is written while no request is being served.
/// </summary>
internal sealed class RefusalBodies(PipeWriter output) : PipeWriter
{
    /// <summary>Room for a head, the headers that are added, and the longest body.</summary>
    private const int Room = 1024;

    private Memory<byte> _head;

    /// <summary>Whether a request is between its head and the end of its answer.</summary>
    public bool IsServing { get; set; }

    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    public override long UnflushedBytes => output.UnflushedBytes;

    /// <summary>The refusal with a body, written over itself; the length of what is there then.</summary>
    public static int Amend(Span<byte> memory, int length)
    {
        const string Empty = "Content-Length: 0\r\n";
        var head = memory[..length];
        var at = head.IndexOf("Content-Length: 0\r\n"u8);
        var lineEnd = head.IndexOf("\r\n"u8);
        if (at < 0 || lineEnd < 14 || !head.EndsWith("\r\n\r\n"u8) || !head.StartsWith("HTTP/1.1 "u8) || head[9] is not ((byte)'4' or (byte)'5'))
        {
            return length;
        }

        var body = HttpErrors.Body(System.Text.Encoding.ASCII.GetString(head[13..lineEnd]));
        byte[] amended =
        [
            .. head[..at], .. "Content-Type: application/json\r\nContent-Length: "u8, .. System.Text.Encoding.ASCII.GetBytes(body.Length.ToString(CultureInfo.InvariantCulture)), .. "\r\n"u8,
            .. head[(at + Empty.Length)..], .. body,
        ];
        if (amended.Length > memory.Length)
        {
            return length;
        }

        amended.CopyTo(memory);
        return amended.Length;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => IsServing ? output.GetMemory(sizeHint) : _head = output.GetMemory(Math.Max(sizeHint, Room));

    public override Span<byte> GetSpan(int sizeHint = 0) => IsServing ? output.GetSpan(sizeHint) : GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => output.Advance(IsServing ? bytes : Amend(_head.Span, bytes));

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => output.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) => output.WriteAsync(source, cancellationToken);

    public override void CancelPendingFlush() => output.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => output.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => output.CompleteAsync(exception);
}
