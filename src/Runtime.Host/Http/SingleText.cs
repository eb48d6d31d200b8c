using System.Numerics;

namespace Runtime.Host.Http;

/// <summary>
/// Writes a float as the shortest decimal that reads back as the same float (Giulietti's Schubfach). Whole numbers keep a
/// fraction of zero, what has no number is a bare word.
/// </summary>
internal static class SingleText
{
    /// <summary>The most bytes that a float takes.</summary>
    public const int MaxLength = 20;

    private const int LeastPower = -45;
    private const int GreatestPower = 50;

    /// <summary>Powers of ten, their upper 64 bits rounded up.</summary>
    private static readonly ulong[] Powers = [.. Enumerable.Range(LeastPower, GreatestPower - LeastPower + 1).Select(RoundedUp)];

    /// <summary>Writes the float, and gives how many bytes it took.</summary>
    public static int Write(float value, Span<byte> target)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        var position = 0;
        if (float.IsNaN(value))
        {
            "NaN"u8.CopyTo(target);
            return 3;
        }

        if ((int)bits < 0)
        {
            target[position++] = (byte)'-';
            bits &= 0x7FFFFFFF;
        }

        if (bits == 0x7F800000)
        {
            "Infinity"u8.CopyTo(target[position..]);
            return position + 8;
        }

        if (bits == 0)
        {
            "0.0"u8.CopyTo(target[position..]);
            return position + 3;
        }

        var (digits, exponent) = Shortest(bits & 0x7FFFFF, (int)(bits >> 23));
        return position + Format(digits, exponent, target[position..]);
    }

    private static ulong RoundedUp(int power)
    {
        var wide = DecimalText.Significand(power);
        return (ulong)(wide >> 64) + ((ulong)wide == 0 ? 0UL : 1);
    }

    /// <summary>The decimal digits · 10^exponent of the shortest, and of those the nearest, number in the float's rounding interval.</summary>
    private static (uint Digits, int Exponent) Shortest(uint fraction, int biased)
    {
        var significand = biased == 0 ? fraction : fraction | 0x800000;
        var binary = Math.Max(biased, 1) - 150;
        if (binary is <= 0 and > -24 && (significand & ((1u << -binary) - 1)) == 0)
        {
            return Trim(significand >> -binary, 0);
        }

        // Below a power of two the neighbour is half as far.
        var isLowerCloser = fraction == 0 && biased > 1;
        var k = ((binary * 1262611) - (isLowerCloser ? 524031 : 0)) >> 22;
        var shift = binary + ((-k * 1741647) >> 19) + 1;
        var power = Powers[-k - LeastPower];
        var isEven = (significand & 1) == 0;
        var lower = RoundToOdd(power, ((4 * significand) - 2 + (isLowerCloser ? 1u : 0)) << shift) + (isEven ? 0u : 1);
        var middle = RoundToOdd(power, (4 * significand) << shift);
        var upper = RoundToOdd(power, ((4 * significand) + 2) << shift) - (isEven ? 0u : 1);

        var digits = middle / 4;
        if (digits >= 10)
        {
            var tens = digits / 10;
            var isBelowInside = lower <= 40 * tens;
            var isAboveInside = (40 * tens) + 40 <= upper;
            if (isBelowInside != isAboveInside)
            {
                return Trim(tens + (isAboveInside ? 1u : 0), k + 1);
            }
        }

        var isFloorInside = lower <= 4 * digits;
        var isCeilingInside = (4 * digits) + 4 <= upper;
        if (isFloorInside != isCeilingInside)
        {
            return (digits + (isCeilingInside ? 1u : 0), k);
        }

        var half = (4 * digits) + 2;
        var isUp = middle > half || (middle == half && (digits & 1) == 1);
        return (digits + (isUp ? 1u : 0), k);
    }

    /// <summary>The upper part of the product, its lowest bit set when anything was cut off.</summary>
    private static uint RoundToOdd(ulong power, uint value)
    {
        var high = Math.BigMul(power, value, out var low);
        return (uint)high | ((low >> 32) > 1 ? 1u : 0);
    }

    private static (uint Digits, int Exponent) Trim(uint digits, int exponent)
    {
        while (digits % 10 == 0)
        {
            digits /= 10;
            exponent++;
        }

        return (digits, exponent);
    }

    private static int Format(uint digits, int exponent, Span<byte> target)
    {
        var count = CountDigits(digits);
        var point = count + exponent;
        if (exponent >= 0 && point <= 9)
        {
            WriteDigits(digits, target[..count]);
            target[count..point].Fill((byte)'0');
            ".0"u8.CopyTo(target[point..]);
            return point + 2;
        }

        if (point is > 0 and <= 9)
        {
            // One place further right, then the whole part moves over the gap.
            WriteDigits(digits, target.Slice(1, count));
            target.Slice(1, point).CopyTo(target);
            target[point] = (byte)'.';
            return count + 1;
        }

        if (point is > -5 and <= 0)
        {
            "0.0000"u8.CopyTo(target);
            WriteDigits(digits, target.Slice(2 - point, count));
            return 2 - point + count;
        }

        return FormatScientific(digits, point - 1, target, count);
    }

    private static int FormatScientific(uint digits, int exponent, Span<byte> target, int count)
    {
        WriteDigits(digits, target.Slice(1, count));
        target[0] = target[1];
        target[1] = (byte)'.';
        var position = count == 1 ? 1 : count + 1;
        target[position++] = (byte)'e';
        if (exponent < 0)
        {
            target[position++] = (byte)'-';
            exponent = -exponent;
        }

        if (exponent >= 10)
        {
            target[position++] = (byte)('0' + (exponent / 10));
        }

        target[position++] = (byte)('0' + (exponent % 10));
        return position;
    }

    private static int CountDigits(uint value)
    {
        var estimate = ((BitOperations.Log2(value) + 1) * 1233) >> 12;
        return estimate + (value >= PowersOfTen[estimate] ? 1 : 0);
    }

    private static ReadOnlySpan<uint> PowersOfTen => [1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000];

    private static void WriteDigits(uint value, Span<byte> target)
    {
        var i = target.Length;
        for (; i >= 2; i -= 2)
        {
            var rest = value / 100;
            var pair = (int)(value - (rest * 100)) * 2;
            target[i - 1] = Pairs[pair + 1];
            target[i - 2] = Pairs[pair];
            value = rest;
        }

        if (i == 1)
        {
            target[0] = (byte)('0' + value);
        }
    }

    private static ReadOnlySpan<byte> Pairs =>
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"u8;
}
