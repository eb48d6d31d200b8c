using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Runtime.Host.Lifecycle;

/// <summary>
/// Makes a connection's first request head one that Kestrel takes where Triton is lenient: without a Host header, or of an unknown
/// HTTP version. Only a head that arrives in one piece is looked at; connections whose head is in order keep their transport.
/// </summary>
internal sealed class RequestHeadRepair(ConnectionDelegate next, TimeSpan patience)
{
    public async Task HandleAsync(ConnectionContext connection)
    {
        var transport = connection.Transport;
        if (await TryReadFirstAsync(connection) is not { } first)
        {
            return;
        }

        var repaired = Repair(first.Buffer);
        transport.Input.AdvanceTo(repaired is null ? first.Buffer.Start : first.Buffer.End);
        if (repaired is null)
        {
            await next(connection);
            return;
        }

        var pipe = new Pipe();
        var pump = PumpAsync(repaired, transport.Input, pipe.Writer);
        connection.Transport = new Duplex(pipe.Reader, transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            transport.Input.CancelPendingRead();
            await pump;
            connection.Transport = transport;
        }
    }

    /// <summary>The head and what follows it, mended; null when there is nothing to mend.</summary>
    public static byte[]? Repair(in ReadOnlySequence<byte> received)
    {
        var bytes = received.IsSingleSegment ? received.FirstSpan : received.ToArray();
        var head = bytes.IndexOf("\r\n\r\n"u8);
        var line = bytes.IndexOf("\r\n"u8);
        var version = head < 0 ? -1 : bytes[..line].LastIndexOf(" HTTP/"u8);
        if (version < 0 || bytes.StartsWith("PRI "u8))
        {
            return null;
        }

        var number = bytes[(version + 6)..line];
        var isKnown = number.SequenceEqual("1.1"u8) || number.SequenceEqual("1.0"u8);
        if (number.Length != 3 || number[1] != '.' || !char.IsAsciiDigit((char)number[0]) || !char.IsAsciiDigit((char)number[2]))
        {
            return null;
        }

        var lacksHost = !number.SequenceEqual("1.0"u8) && !HasHost(bytes[line..head]);
        return isKnown && !lacksHost
            ? null
            : [.. bytes[..version], .. isKnown ? bytes[version..line] : " HTTP/1.1"u8, .. lacksHost ? "\r\nHost: "u8 : default, .. bytes[line..]];
    }

    private static bool HasHost(ReadOnlySpan<byte> headers)
    {
        const string Name = "\r\nhost:";
        for (var i = 0; i + Name.Length <= headers.Length; i++)
        {
            if (headers[i] == '\r' && Ascii.EqualsIgnoreCase(headers.Slice(i, Name.Length), Name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The first bytes; null when the client leaves, or sends none until its patience or the server ends.</summary>
    private async Task<ReadResult?> TryReadFirstAsync(ConnectionContext connection)
    {
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(closing);
        limit.CancelAfter(patience);
        try
        {
            var first = await connection.Transport.Input.ReadAsync(limit.Token);
            return first.Buffer.IsEmpty && first.IsCompleted ? null : first;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static async Task PumpAsync(byte[] first, PipeReader from, PipeWriter to)
    {
        Exception? fault = null;
        try
        {
            var flushed = await to.WriteAsync(first);
            for (ReadResult read = default; !flushed.IsCompleted && !read.IsCompleted && !read.IsCanceled;)
            {
                read = await from.ReadAsync();
                foreach (var segment in read.Buffer)
                {
                    to.Write(segment.Span);
                }

                from.AdvanceTo(read.Buffer.End);
                flushed = await to.FlushAsync();
            }
        }
        catch (IOException e)
        {
            fault = e;
        }

        await to.CompleteAsync(fault);
    }
}

/// <summary>A connection's two directions, one of which something stands in front of.</summary>
internal sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
