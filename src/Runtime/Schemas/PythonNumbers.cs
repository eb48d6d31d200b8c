using System.Globalization;
using System.Numerics;

namespace Runtime.Schemas;

/// <summary>Reads Python's numbers: decimal, hexadecimal, octal and binary integers and floats, with underscores.</summary>
internal static class PythonNumbers
{
    /// <summary>How many characters a number may have; parsing takes time that grows with their square.</summary>
    public const int Longest = 400;

    /// <summary>Null when the text is a number, or what is wrong with it.</summary>
    public static string? TryRead(string text, SourcePlace place, bool isNegative, out Literal value)
    {
        value = new NoneLiteral(place);
        if (text.Length > Longest)
        {
            return $"the number has more than {Longest} characters";
        }

        if (text[^1] is 'j' or 'J' && !IsPrefixed(text))
        {
            return $"complex numbers such as '{text}' are no schema values";
        }

        if (!HasFittingUnderscores(text))
        {
            return Invalid(text);
        }

        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return IsPrefixed(digits) ? ReadPrefixed(text, digits, isNegative, ref value)
            : digits.All(char.IsAsciiDigit) ? ReadInteger(text, digits, isNegative, ref value)
            : ReadFloat(text, digits, isNegative, ref value);
    }

    private static bool IsPrefixed(string text) => text.Length > 1 && text[0] == '0' && text[1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B';

    private static string Invalid(string text) => $"'{Literal.Short(text)}' is not a number";

    private static bool HasFittingUnderscores(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '_' && !(i > 0 && i + 1 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && (char.IsAsciiHexDigit(text[i - 1]) || (i == 2 && IsPrefixed(text)))))
            {
                return false;
            }
        }

        return true;
    }

    private static string? ReadPrefixed(string text, string digits, bool isNegative, ref Literal value)
    {
        var radix = char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, _ => 2 };
        BigInteger number = 0;
        foreach (var digit in digits.AsSpan(2))
        {
            var amount = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
            if (amount >= radix)
            {
                return Invalid(text);
            }

            number = number * radix + amount;
        }

        value = new IntegerLiteral(value.Place, isNegative ? -number : number);
        return digits.Length > 2 ? null : Invalid(text);
    }

    private static string? ReadInteger(string text, string digits, bool isNegative, ref Literal value)
    {
        var number = BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
        value = new IntegerLiteral(value.Place, isNegative ? -number : number);
        return digits[0] == '0' && !number.IsZero ? $"'{text}' is not a number: leading zeros are not allowed" : null;
    }

    private static string? ReadFloat(string text, string digits, bool isNegative, ref Literal value)
    {
        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!digits.All(character => char.IsAsciiDigit(character) || character is '.' or 'e' or 'E' or '+' or '-')
            || !double.TryParse(digits, Style, CultureInfo.InvariantCulture, out var number))
        {
            return Invalid(text);
        }

        value = new FloatLiteral(value.Place, isNegative ? -number : number);
        return double.IsFinite(number) ? null : $"the number {Literal.Short(text)} is too large";
    }
}
