using System.IO.Compression;
using Runtime.Host.Lifecycle;
using Runtime.Host.Nvcf;
using Runtime.Host.Telemetry;

namespace Runtime.Host.Grpc;

/// <summary>One call in progress: its metadata, its messages both ways, and when to give up.</summary>
internal sealed class GrpcCall : IDisposable
{
    private readonly CancellationTokenSource? _deadline;
    private readonly CancellationTokenSource? _linked;

    /// <param name="context">The HTTP/2 request that carries the call.</param>
    /// <param name="encoding">How the client compresses.</param>
    /// <param name="settings">The server's limits.</param>
    /// <param name="timeout">How long the client waits; null for as long as it takes.</param>
    /// <param name="time">The clock of deadlines.</param>
    public GrpcCall(HttpContext context, MessageEncoding encoding, GrpcSettings settings, TimeSpan? timeout, TimeProvider time)
    {
        Context = context;
        Settings = settings;
        Reader = new FrameReader(context.Request.BodyReader, encoding, settings.MaxMessageSize);
        Writer = new FrameWriter(context.Response.BodyWriter);
        Nvcf = settings.Nvcf.TryBegin(context.Request.Headers);
        Cancellation = context.RequestAborted;
        if (timeout is { } limit)
        {
            _deadline = new CancellationTokenSource(limit, time);
            _linked = CancellationTokenSource.CreateLinkedTokenSource(_deadline.Token, context.RequestAborted);
            Cancellation = _linked.Token;
        }
    }

    public HttpContext Context { get; }

    public GrpcSettings Settings { get; }

    /// <summary>The platform's part of the call, for all of its requests; null for a call that did not come through it.</summary>
    public NvcfRequest? Nvcf { get; }

    /// <summary>What is noted of the call; null where it is not observed.</summary>
    public RequestRecord? Record { get; set; }

    public FrameReader Reader { get; }

    /// <summary>The place among those in flight of a message that is still coming in, which has so many bytes; null where none is.</summary>
    public (AdmissionTicket Ticket, long Bytes)? Arriving { get; private set; }

    public FrameWriter Writer { get; }

    /// <summary>Cancelled when the client goes away or its deadline passes.</summary>
    public CancellationToken Cancellation { get; }

    public bool IsDeadlineExceeded => _deadline is { IsCancellationRequested: true };

    /// <summary>A piece of the request's metadata; of several values, all, with commas between.</summary>
    public string? Header(string name) => Context.Request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;

    /// <summary>The level to compress inference responses with, announced to the client; null for not at all. Asked once, before the first message.</summary>
    public CompressionLevel? StartCompression()
    {
        if (Settings.ResponseCompression is null || !MessageCompression.AcceptsGzip(Header(GrpcHeaders.AcceptEncoding)))
        {
            return null;
        }

        Context.Response.Headers[GrpcHeaders.Encoding] = "gzip";
        return Settings.ResponseCompression;
    }

    /// <summary>Keeps the place of the message that is coming in, until it is taken or the call ends.</summary>
    public void Arrive(AdmissionTicket ticket, long bytes) => Arriving = (ticket, bytes);

    /// <summary>The place of the message that has come in, whose bytes may have become more in decompression.</summary>
    /// <returns>False where it has none for that many bytes; one for another number is given back.</returns>
    public bool TryTakePlace(long bytes, out AdmissionTicket ticket)
    {
        ticket = default;
        if (Arriving is not { } arriving)
        {
            return false;
        }

        Arriving = null;
        if (arriving.Bytes == bytes)
        {
            ticket = arriving.Ticket;
            return true;
        }

        arriving.Ticket.Dispose();
        return false;
    }

    /// <summary>Gives the place of the message that is coming in back, where there is one.</summary>
    public void LeavePlace()
    {
        Arriving?.Ticket.Dispose();
        Arriving = null;
    }

    /// <summary>Reads the assets that are inputs of the request that was built last.</summary>
    public ValueTask FillAssetsAsync(CancellationToken cancellation)
        => Nvcf?.Assets is { ArePending: true } assets ? assets.FillAsync(cancellation) : default;

    public void Dispose()
    {
        Nvcf?.Dispose();
        LeavePlace();
        Reader.Dispose();
        _linked?.Dispose();
        _deadline?.Dispose();
    }
}
