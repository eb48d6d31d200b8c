using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Runtime.Host.Http;

/// <summary>
/// Decimal text to double and back to the nearest one, for the numbers of JSON. Short numbers are one exact
/// multiplication or division (Clinger), those of up to 19 digits a 128-bit product (Eisel and Lemire); what neither
/// decides is left to the framework.
/// </summary>
internal static class DecimalText
{
    private const int LeastPower = -80;
    private const int GreatestPower = 80;

    private static readonly double[] ExactPowers =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

    private static readonly UInt128[] Powers = [.. Enumerable.Range(LeastPower, GreatestPower - LeastPower + 1).Select(Significand)];

    /// <summary>Reads a JSON number, or one of the bare words NaN, Infinity and -Infinity.</summary>
    public static ElementFault TryRead(ReadOnlySpan<byte> text, ref int position, out double value)
    {
        var i = position;
        var negative = i < text.Length && text[i] == '-';
        i += negative ? 1 : 0;
        var start = i;
        ulong mantissa = 0;
        i = Digits(text, i, ref mantissa);
        var digits = i - start;
        if (digits == 0)
        {
            return TryReadWord(text, ref position, negative, out value);
        }

        value = 0;
        var scale = 0;
        var valid = digits == 1 || text[start] != '0';
        if (i < text.Length && text[i] == '.')
        {
            var fraction = ++i;
            i = Digits(text, i, ref mantissa);
            scale = fraction - i;
            digits -= scale;
            valid &= scale < 0;
        }

        if (i < text.Length && (text[i] | 0x20) == 'e')
        {
            valid &= TryReadExponent(text, ref i, ref scale);
        }

        if (!valid)
        {
            return ElementFault.Syntax;
        }

        if (digits <= 19 && mantissa <= 1UL << 53 && (uint)-scale <= 22)
        {
            value = mantissa / ExactPowers[-scale];
            value = negative ? -value : value;
            position = i;
            return ElementFault.None;
        }

        var fault = Convert(text[position..i], negative, digits, mantissa, scale, out value);
        position = i;
        return fault;
    }

    private static ElementFault Convert(ReadOnlySpan<byte> text, bool negative, int digits, ulong mantissa, int scale, out double value)
    {
        if (digits <= 19)
        {
            if (mantissa <= 1UL << 53 && scale is >= 0 and <= 22)
            {
                value = mantissa * ExactPowers[scale];
                value = negative ? -value : value;
                return ElementFault.None;
            }

            if (mantissa != 0 && scale is >= LeastPower and <= GreatestPower && TryScale(mantissa, scale, out value))
            {
                value = negative ? -value : value;
                return ElementFault.None;
            }
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value) ? ElementFault.None : ElementFault.OutOfRange;
    }

    /// <summary>The upper 128 bits of a power of ten, the highest bit set; rounded up where it is a fraction.</summary>
    internal static UInt128 Significand(int power)
    {
        var five = BigInteger.Pow(5, Math.Abs(power));
        var bits = (int)five.GetBitLength();
        if (power >= 0)
        {
            return (UInt128)(bits <= 128 ? five << (128 - bits) : five >> (bits - 128));
        }

        var inverse = (BigInteger.One << (bits + 127)) / five + 1;
        return (UInt128)(inverse.GetBitLength() > 128 ? inverse >> 1 : inverse);
    }

    /// <summary>The double nearest to mantissa · 10^scale, unless the product's lost bits could decide.</summary>
    private static bool TryScale(ulong mantissa, int scale, out double value)
    {
        value = 0;
        var zeros = BitOperations.LeadingZeroCount(mantissa);
        var power = Powers[scale - LeastPower];
        var high = Math.BigMul(mantissa << zeros, (ulong)(power >> 64), out var low);
        if ((high & 0x1FF) == 0x1FF)
        {
            var more = Math.BigMul(mantissa << zeros, (ulong)power, out _);
            low += more;
            high += low < more ? 1UL : 0;
        }

        // Near a tie the discarded bits matter.
        if (low == ulong.MaxValue || low <= 1)
        {
            return false;
        }

        var upper = (int)(high >> 63);
        var rounded = high >> (upper + 9);
        rounded = (rounded + (rounded & 1)) >> 1;
        var exponent = ((217706 * scale) >> 16) + 63 + upper - zeros + 1023;
        if (rounded >= 1UL << 53)
        {
            rounded = 1UL << 52;
            exponent++;
        }

        if (exponent is <= 0 or >= 0x7FF)
        {
            return false;
        }

        value = BitConverter.UInt64BitsToDouble((rounded & ((1UL << 52) - 1)) | ((ulong)exponent << 52));
        return true;
    }

    private static int Digits(ReadOnlySpan<byte> text, int i, ref ulong mantissa)
    {
        var value = mantissa;
        for (; text.Length - i >= 8; i += 8)
        {
            var chunk = BinaryPrimitives.ReadUInt64LittleEndian(text[i..]);
            if (!AreDigits(chunk))
            {
                break;
            }

            value = value * 100_000_000 + EightDigits(chunk);
        }

        for (uint digit; (uint)i < (uint)text.Length && (digit = text[i] - (uint)'0') <= 9; i++)
        {
            value = value * 10 + digit;
        }

        mantissa = value;
        return i;
    }

    private static bool AreDigits(ulong chunk)
        => ((chunk & 0xF0F0F0F0F0F0F0F0) | (((chunk + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) >> 4)) == 0x3333333333333333;

    /// <summary>Eight digits by pairs, then fours, then all: three multiplications that do not wait for each other.</summary>
    private static uint EightDigits(ulong chunk)
    {
        chunk -= 0x3030303030303030;
        chunk = (chunk * 10) + (chunk >> 8);
        var low = (chunk & 0x000000FF000000FF) * (100 + (1_000_000UL << 32));
        var high = ((chunk >> 16) & 0x000000FF000000FF) * (1 + (10_000UL << 32));
        return (uint)((low + high) >> 32);
    }

    private static bool TryReadExponent(ReadOnlySpan<byte> text, ref int i, ref int scale)
    {
        i++;
        var negative = i < text.Length && text[i] == '-';
        i += i < text.Length && text[i] is (byte)'-' or (byte)'+' ? 1 : 0;
        var start = i;
        var exponent = 0;
        for (; i < text.Length && text[i] is >= (byte)'0' and <= (byte)'9'; i++)
        {
            exponent = Math.Min(exponent * 10 + text[i] - '0', 100_000);
        }

        scale += negative ? -exponent : exponent;
        return i > start;
    }

    private static ElementFault TryReadWord(ReadOnlySpan<byte> text, ref int position, bool negative, out double value)
    {
        var start = position + (negative ? 1 : 0);
        var rest = text[start..];
        if (rest.StartsWith("Infinity"u8))
        {
            value = negative ? double.NegativeInfinity : double.PositiveInfinity;
            position = start + 8;
            return ElementFault.None;
        }

        value = double.NaN;
        if (negative || !rest.StartsWith("NaN"u8))
        {
            return ElementFault.WrongKind;
        }

        position = start + 3;
        return ElementFault.None;
    }
}
