using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>JSON that is being written, in pooled memory.</summary>
internal sealed class JsonBuffer(int capacity) : IDisposable
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    private byte[] _array = TensorPool.Shared.Rent(capacity);

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Room for at least that many bytes, of which <see cref="Advance"/> keeps some.</summary>
    public Span<byte> Reserve(int count)
    {
        if (_array.Length - Length < count)
        {
            Grow(count);
        }

        return _array.AsSpan(Length);
    }

    public void Advance(int count) => Length += count;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    public void Write(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

    public void Write(long value)
    {
        value.TryFormat(Reserve(20), out var written, default, CultureInfo.InvariantCulture);
        Length += written;
    }

    /// <summary>Writes a string with its quotes; unpaired surrogates become U+FFFD.</summary>
    public void WriteString(string text)
    {
        if (text.Length <= 128)
        {
            Span<byte> utf8 = stackalloc byte[384];
            WriteEscaped(utf8[..Encoding.UTF8.GetBytes(text, utf8)]);
        }
        else
        {
            WriteEscaped(Encoding.UTF8.GetBytes(text));
        }
    }

    /// <summary>Writes UTF-8 as a string with its quotes, if it is UTF-8.</summary>
    public bool TryWriteString(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            return false;
        }

        WriteEscaped(utf8);
        return true;
    }

    public void Dispose()
    {
        TensorPool.Shared.Return(_array);
        _array = [];
        Length = 0;
    }

    private void WriteEscaped(ReadOnlySpan<byte> utf8)
    {
        Write((byte)'"');
        while (true)
        {
            var next = utf8.IndexOfAny(Escaped);
            if (next < 0)
            {
                break;
            }

            Write(utf8[..next]);
            WriteEscape(utf8[next]);
            utf8 = utf8[(next + 1)..];
        }

        Write(utf8);
        Write((byte)'"');
    }

    private void WriteEscape(byte value)
    {
        switch (value)
        {
            case (byte)'"':
                Write("\\\""u8);
                break;
            case (byte)'\\':
                Write("\\\\"u8);
                break;
            case (byte)'\n':
                Write("\\n"u8);
                break;
            case (byte)'\r':
                Write("\\r"u8);
                break;
            case (byte)'\t':
                Write("\\t"u8);
                break;
            default:
                Write("\\u00"u8);
                Write((byte)('0' + (value >> 4)));
                Write("0123456789abcdef"u8[value & 15]);
                break;
        }
    }

    private void Grow(int count)
    {
        var larger = TensorPool.Shared.Rent(Math.Min(Math.Max(2L * _array.Length, (long)Length + count), Array.MaxLength));
        _array.AsSpan(0, Length).CopyTo(larger);
        TensorPool.Shared.Return(_array);
        _array = larger;
    }
}
