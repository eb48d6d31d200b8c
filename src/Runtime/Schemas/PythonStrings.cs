using System.Globalization;
using System.Text;

namespace Runtime.Schemas;

/// <summary>Reads what stands between the quotes of Python's strings and bytes.</summary>
internal static class PythonStrings
{
    /// <summary>Null when the token's text was added to <paramref name="target"/>, or what is wrong with it. Of bytes each character is one byte.</summary>
    public static string? TryRead(PythonToken token, StringBuilder target)
    {
        var isBytes = token.Prefix.Contains('b', StringComparison.Ordinal);
        var isRaw = token.Prefix.Contains('r', StringComparison.Ordinal);
        var text = token.Text;
        for (var i = 0; i < text.Length; i++)
        {
            if (isBytes && text[i] > '\x7F')
            {
                return $"bytes take only ASCII characters, found '{text[i]}'";
            }

            if (text[i] == '\\' && !isRaw)
            {
                if (Escape(text, ref i, isBytes, target) is { } fault)
                {
                    return fault;
                }
            }
            else if (text[i] == '\r')
            {
                // Python reads every line end as \n.
                i += i + 1 < text.Length && text[i + 1] == '\n' ? 1 : 0;
                target.Append('\n');
            }
            else
            {
                target.Append(text[i]);
            }
        }

        return null;
    }

    /// <summary>Whether no half of a surrogate pair stands alone, which UTF-8 cannot say.</summary>
    public static bool IsUnicode(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads an escape and leaves the position at its last character.</summary>
    private static string? Escape(string text, ref int i, bool isBytes, StringBuilder target)
    {
        var next = i + 1 < text.Length ? text[i + 1] : '\0';
        if (Simple(next) is { } simple)
        {
            i++;
            target.Append(simple);
            return null;
        }

        switch (next)
        {
            case '\n':
                i++;
                return null;
            case '\r':
                i += i + 2 < text.Length && text[i + 2] == '\n' ? 2 : 1;
                return null;
            case >= '0' and <= '7':
                return Octal(text, ref i, isBytes, target);
            case 'x':
                return Hexadecimal(text, ref i, 2, target);
            case 'u' or 'U' when !isBytes:
                return Hexadecimal(text, ref i, next == 'u' ? 4 : 8, target);
            case 'N' when !isBytes:
                return "named characters (\\N{...}) are not read here, write the character itself or \\u and its number";
            default:
                // An escape that Python does not know stays as it is written.
                target.Append('\\');
                return null;
        }
    }

    private static char? Simple(char next) => next switch
    {
        '\\' or '\'' or '"' => next,
        'a' => '\a',
        'b' => '\b',
        'f' => '\f',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        _ => null,
    };

    private static string? Octal(string text, ref int i, bool isBytes, StringBuilder target)
    {
        var value = 0;
        var start = i + 1;
        for (i++; i < text.Length && i < start + 3 && text[i] is >= '0' and <= '7'; i++)
        {
            value = value * 8 + text[i] - '0';
        }

        i--;
        target.Append((char)value);
        return isBytes && value > byte.MaxValue ? $"the escape \\{text[start..(i + 1)]} is more than a byte" : null;
    }

    private static string? Hexadecimal(string text, ref int i, int length, StringBuilder target)
    {
        var digits = text.AsSpan(Math.Min(i + 2, text.Length));
        digits = digits[..Math.Min(length, digits.Length)];
        if (digits.Length < length || !uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) || value > 0x10FFFF)
        {
            return $"the escape '{Literal.Short(text.Substring(i, Math.Min(length + 2, text.Length - i)))}' is no character: expected {length} hexadecimal digits";
        }

        i += length + 1;
        if (value > char.MaxValue)
        {
            target.Append(char.ConvertFromUtf32((int)value));
        }
        else
        {
            target.Append((char)value);
        }

        return null;
    }
}
