using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Runtime.Inference;

namespace Runtime.Host.Nvcf;

/// <summary>
/// A request's progress as the file <c>progress</c> in its output directory, for the platform to show to whoever polls. Reports
/// within a quarter of a second become one write, so that one talkative request does not hold up the others' progress.
/// </summary>
/// <remarks>Written beside itself and renamed, so that it is always whole. Closed before the response begins: then both names are gone.</remarks>
internal sealed class ProgressFile : RequestProgress
{
    /// <summary>The platform's name for it, the only one in the directory that it does not send to the client.</summary>
    public const string Name = "progress";

    public const string TemporaryName = Name + ".partial";

    /// <summary>The bytes that the file stays below.</summary>
    public const int MaxByteSize = 250_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    private readonly string _directory;
    private readonly byte[] _head;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _failed;
    private readonly Lock _state = new();
    private readonly Lock _file = new();
    private byte[] _partial = "{}"u8.ToArray();
    private ITimer? _timer;
    private long _lastWrite;
    private int _percent;
    private bool _hasWritten;
    private bool _isDirty;
    private bool _isScheduled;
    private bool _isClosed;

    /// <param name="directory">The request's output directory; made with the first write if it is not there.</param>
    /// <param name="requestId">The id that the platform knows the request by.</param>
    /// <param name="time">The clock of the writes.</param>
    /// <param name="failed">Hears of a write that failed, after which there are no more; the request goes on without.</param>
    public ProgressFile(string directory, string requestId, TimeProvider time, Action<Exception> failed)
    {
        (_directory, _time, _failed) = (directory, time, failed);
        _head = [.. "{\"id\":\""u8, .. JsonEncodedText.Encode(requestId).EncodedUtf8Bytes, .. "\",\"progress\":"u8];
    }

    public override void Report(double percent, ReadOnlyMemory<byte> partialJson = default)
    {
        if (double.IsNaN(percent))
        {
            throw new ArgumentException("progress must be a number from 0 to 100, got NaN", nameof(percent));
        }

        Check(partialJson.Span);
        var rounded = (int)Math.Round(Math.Clamp(percent, 0, 100), MidpointRounding.AwayFromZero);
        lock (_state)
        {
            if (_isClosed)
            {
                return;
            }

            _percent = Math.Max(_percent, rounded);
            _isDirty = true;
            if (!partialJson.IsEmpty)
            {
                _partial = partialJson.ToArray();
            }

            if (!TryTakeTurn())
            {
                return;
            }
        }

        Write();
    }

    /// <summary>Ends the progress: no write is in flight, none follows, and no file of it is left.</summary>
    public void Close()
    {
        lock (_state)
        {
            _isClosed = true;
            _timer?.Dispose();
        }

        lock (_file)
        {
            if (_hasWritten)
            {
                OutputFiles.TryDelete(Path.Combine(_directory, TemporaryName));
                OutputFiles.TryDelete(Path.Combine(_directory, Name));
            }
        }
    }

    /// <summary>Whether this caller is to write now; otherwise the timer will. Under the lock of the state.</summary>
    private bool TryTakeTurn()
    {
        if (_isScheduled)
        {
            return false;
        }

        _isScheduled = true;
        var wait = _hasWritten ? Interval - _time.GetElapsedTime(_lastWrite) : TimeSpan.Zero;
        if (wait <= TimeSpan.Zero)
        {
            return true;
        }

        _timer ??= _time.CreateTimer(static file => ((ProgressFile)file!).Write(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        // Timers count whole milliseconds and may be early by less than one.
        _timer.Change(wait + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        return false;
    }

    private void Write()
    {
        lock (_file)
        {
            while (TryWriteLatest())
            {
                // The write took so long that the next one is due.
            }
        }
    }

    /// <summary>Writes what was reported last; true when more came meanwhile and is due already.</summary>
    private bool TryWriteLatest()
    {
        int percent;
        byte[] partial;
        lock (_state)
        {
            if (_isClosed)
            {
                return false;
            }

            (percent, partial, _isDirty) = (_percent, _partial, false);
            (_lastWrite, _hasWritten) = (_time.GetTimestamp(), true);
        }

        var isWritten = TryWrite(percent, partial);
        lock (_state)
        {
            _isScheduled = false;
            _isClosed |= !isWritten;
            return _isDirty && !_isClosed && TryTakeTurn();
        }
    }

    private bool TryWrite(int percent, byte[] partial)
    {
        var text = new ArrayBufferWriter<byte>(_head.Length + partial.Length + 32);
        text.Write(_head);
        percent.TryFormat(text.GetSpan(3), out var digits);
        text.Advance(digits);
        text.Write(",\"partialResponse\":"u8);
        text.Write(partial);
        text.Write("}"u8);
        try
        {
            var temporary = Path.Combine(_directory, TemporaryName);
            OutputFiles.WriteWhole(temporary, text.WrittenSpan);
            File.Move(temporary, Path.Combine(_directory, Name), overwrite: true);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _failed(exception);
            return false;
        }
    }

    private void Check(ReadOnlySpan<byte> partial)
    {
        if (partial.IsEmpty)
        {
            return;
        }

        if (_head.Length + partial.Length + 32 > MaxByteSize)
        {
            throw new ArgumentException($"the partial response has {partial.Length} bytes; with the rest of the progress file it must stay below {MaxByteSize}", nameof(partial));
        }

        if (!IsObject(partial))
        {
            throw new ArgumentException("the partial response must be one JSON object or null, in UTF-8", nameof(partial));
        }
    }

    private static bool IsObject(ReadOnlySpan<byte> partial)
    {
        try
        {
            var reader = new Utf8JsonReader(partial);
            reader.Read();
            var isObject = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.Null;
            reader.Skip();
            return isObject && !reader.Read() && Utf8.IsValid(partial);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
