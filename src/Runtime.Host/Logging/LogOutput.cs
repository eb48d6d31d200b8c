using System.Buffers;
using System.Text;
using System.Threading.Channels;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.Logging;

/// <summary>Writes lines behind the callers' backs, in order. When the terminal or the disk falls behind, lines are dropped and counted rather than waited for.</summary>
internal sealed class LogOutput : IAsyncDisposable
{
    private const int Capacity = 4096;
    private const int BytesPerWrite = 4096;
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(2);

    private readonly Channel<LogText> _lines = Channel.CreateBounded<LogText>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private readonly Stream _stream;
    private readonly Task _writing;
    private long _dropped;

    public LogOutput(Stream stream)
    {
        _stream = stream;
        _writing = Task.Run(WriteLinesAsync);
    }

    /// <summary>Opens standard error, or the file to append to.</summary>
    public static LogOutput Open(string file)
    {
        try
        {
            return new LogOutput(file.Length == 0 ? Console.OpenStandardError() : new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException($"--log-file: cannot write '{file}': {e.Message}", e);
        }
    }

    /// <summary>Queues a line, which is formatted when it is written.</summary>
    public void Write(LogText line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes what is queued, unless the other side has stopped reading.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        if (await Task.WhenAny(_writing, Task.Delay(FlushLimit)) == _writing)
        {
            await _stream.DisposeAsync();
        }
    }

    private async ValueTask WriteAsync(ArrayBufferWriter<byte> lines)
    {
        await _stream.WriteAsync(lines.WrittenMemory);
        lines.ResetWrittenCount();
    }

    private async Task WriteLinesAsync()
    {
        var buffer = new ArrayBufferWriter<byte>(2 * BytesPerWrite);
        try
        {
            while (await _lines.Reader.WaitToReadAsync())
            {
                while (_lines.Reader.TryRead(out var line))
                {
                    line.WriteTo(buffer);
                    if (buffer.WrittenCount >= BytesPerWrite)
                    {
                        await WriteAsync(buffer);
                    }
                }

                var dropped = Interlocked.Exchange(ref _dropped, 0);
                if (dropped > 0)
                {
                    Encoding.UTF8.GetBytes($"({dropped} lines of the log were dropped)\n", buffer);
                }

                await WriteAsync(buffer);
                await _stream.FlushAsync();
            }
        }
        catch (IOException)
        {
            // Nobody is left to read the log; the server goes on without.
            _lines.Writer.TryComplete();
        }
    }
}
