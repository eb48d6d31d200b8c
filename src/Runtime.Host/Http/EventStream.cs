using Runtime.Host.Options;

namespace Runtime.Host.Http;

/// <summary>
/// One answer as server-sent events. Each event is flushed by itself and awaited, so that a slow client slows its producer
/// down; while nothing comes, a comment line now and then keeps proxies and clients from giving the connection up.
/// </summary>
internal sealed class EventStream : IAsyncDisposable
{
    private const string ContentType = "text/event-stream; charset=utf-8";
    private static readonly byte[] Heartbeat = ": keep-alive\n\n"u8.ToArray();

    private readonly HttpContext _context;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly byte[] _terminal;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ITimer? _timer;
    private long _lastWrite;

    public EventStream(HttpContext context, HostOptions options, TimeProvider time)
    {
        (_context, _time, _interval) = (context, time, TimeSpan.FromSeconds(options.SseHeartbeatSecs));
        _terminal = options.SseTerminalEvent.Length == 0 ? [] : System.Text.Encoding.UTF8.GetBytes($"data: {options.SseTerminalEvent}\n\n");
        _lastWrite = time.GetTimestamp();
        _timer = _interval > TimeSpan.Zero ? time.CreateTimer(static stream => _ = ((EventStream)stream!).BeatAsync(), this, _interval, _interval) : null;
    }

    /// <summary>The bytes of the events, without what kept the connection alive between them.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Sends one whole event, its empty line included.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> text)
    {
        await _writing.WaitAsync(_context.RequestAborted);
        try
        {
            Begin();
            await _context.Response.BodyWriter.WriteAsync(text, _context.RequestAborted);
            _lastWrite = _time.GetTimestamp();
            BytesSent += text.Length;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Ends a stream that went well: with the terminal event where there is one, and as a stream even if it was empty.</summary>
    public async ValueTask EndAsync()
    {
        if (_terminal.Length > 0)
        {
            await SendAsync(_terminal);
        }

        Begin();
    }

    /// <summary>Stops the heartbeat; afterwards the response is nobody's.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync();
        }

        // A beat may be under way; it releases the gate, and later ones find the timer gone.
        await _writing.WaitAsync();
        _writing.Dispose();
    }

    private void Begin()
    {
        if (!_context.Response.HasStarted)
        {
            _context.Response.ContentType = ContentType;
            _context.Response.Headers.CacheControl = "no-cache";
        }
    }

    private async Task BeatAsync()
    {
        // A client that does not read makes a beat wait, and more of them would only pile up.
        if (_time.GetElapsedTime(_lastWrite) < _interval || !_writing.Wait(0))
        {
            return;
        }

        try
        {
            Begin();
            await _context.Response.BodyWriter.WriteAsync(Heartbeat, _context.RequestAborted);
            _lastWrite = _time.GetTimestamp();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // The client is gone, which the producer learns from its own cancellation.
        }
        finally
        {
            _writing.Release();
        }
    }
}
