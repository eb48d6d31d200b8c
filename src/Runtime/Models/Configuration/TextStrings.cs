using System.Globalization;
using System.Text;

namespace Runtime.Models.Configuration;

/// <summary>Characters and escapes of strings in the protobuf text format.</summary>
internal static class TextStrings
{
    /// <summary>UTF-8 that throws instead of replacing.</summary>
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private const string Escapes = "abfnrtv\\'\"?";
    private const string Escaped = "\a\b\f\n\r\t\v\\'\"?";

    /// <summary>Reads one character or escape at <paramref name="position"/>, which moves behind it, as UTF-8.</summary>
    public static bool TryReadCharacter(string text, ref int position, List<byte> bytes)
    {
        if (text[position] != '\\')
        {
            return TryReadLiteral(text, ref position, bytes);
        }

        position++;
        if (position >= text.Length)
        {
            return false;
        }

        var kind = text[position++];
        var simple = Escapes.IndexOf(kind, StringComparison.Ordinal);
        if (simple >= 0)
        {
            bytes.Add((byte)Escaped[simple]);
            return true;
        }

        return kind switch
        {
            >= '0' and <= '7' => TryReadOctal(text, ref position, bytes),
            'x' or 'X' => TryReadByte(text, ref position, bytes),
            'u' => TryReadUnit(text, ref position, bytes),
            'U' => TryReadHex(text, ref position, 8, out var scalar) && TryAppend(scalar, bytes),
            _ => false,
        };
    }

    private static bool TryReadLiteral(string text, ref int position, List<byte> bytes)
    {
        if (!Rune.TryGetRuneAt(text, position, out var rune))
        {
            return false;
        }

        position += rune.Utf16SequenceLength;
        return TryAppend((uint)rune.Value, bytes);
    }

    private static bool TryReadOctal(string text, ref int position, List<byte> bytes)
    {
        var value = text[position - 1] - '0';
        for (var digits = 1; digits < 3 && position < text.Length && text[position] is >= '0' and <= '7'; digits++)
        {
            value = (value * 8) + text[position++] - '0';
        }

        bytes.Add((byte)value);
        return value <= byte.MaxValue;
    }

    private static bool TryReadByte(string text, ref int position, List<byte> bytes)
    {
        var digits = 0;
        while (digits < 2 && position + digits < text.Length && char.IsAsciiHexDigit(text[position + digits]))
        {
            digits++;
        }

        if (digits == 0 || !TryReadHex(text, ref position, digits, out var value))
        {
            return false;
        }

        bytes.Add((byte)value);
        return true;
    }

    private static bool TryReadUnit(string text, ref int position, List<byte> bytes)
    {
        if (!TryReadHex(text, ref position, 4, out var first))
        {
            return false;
        }

        if (!char.IsHighSurrogate((char)first))
        {
            return TryAppend(first, bytes);
        }

        if (string.CompareOrdinal(text, position, "\\u", 0, 2) != 0)
        {
            return false;
        }

        position += 2;
        return TryReadHex(text, ref position, 4, out var second)
            && char.IsLowSurrogate((char)second)
            && TryAppend((uint)char.ConvertToUtf32((char)first, (char)second), bytes);
    }

    private static bool TryReadHex(string text, ref int position, int digits, out uint value)
    {
        value = 0;
        if (position + digits > text.Length
            || !uint.TryParse(text.AsSpan(position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value))
        {
            return false;
        }

        position += digits;
        return true;
    }

    private static bool TryAppend(uint scalar, List<byte> bytes)
    {
        if (!Rune.IsValid(scalar))
        {
            return false;
        }

        Span<byte> buffer = stackalloc byte[4];
        bytes.AddRange(buffer[..new Rune(scalar).EncodeToUtf8(buffer)]);
        return true;
    }
}
