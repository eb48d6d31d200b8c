using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Runtime.Host.Http;

/// <summary>
/// Writes a float as the shortest decimal that reads back as the same float (Giulietti's Schubfach). Whole numbers keep a
/// fraction of zero, what has no number is a bare word.
/// </summary>
internal static class SingleText
{
    /// <summary>The most bytes that a float takes.</summary>
    public const int MaxLength = 16;

    /// <summary>The bytes that must be free where a float is written: behind its text lie its digits for a while.</summary>
    public const int Room = 48;

    private const int DigitsAt = 20;

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

    /// <summary>Puts all nine digits down at once and copies sixteen bytes at a time, so that lengths cost no branches.</summary>
    private static int Format(uint digits, int exponent, Span<byte> target)
    {
        var upper = digits / 100_000_000;
        target[DigitsAt] = (byte)('0' + upper);
        BinaryPrimitives.WriteUInt64LittleEndian(target[(DigitsAt + 1)..], EightDigits(digits - (upper * 100_000_000)));
        var count = CountDigits(digits);
        var point = count + exponent;
        var first = DigitsAt + 9 - count;
        if (point is > -5 and <= 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(target, 0x303030303030_2E30);
            Copy(target, first, 2 - point);
            return 2 - point + count;
        }

        if (point is > 0 and <= 9)
        {
            return FormatFixed(exponent, target, first, count);
        }

        return FormatScientific(point - 1, target, first, count);
    }

    private static int FormatFixed(int exponent, Span<byte> target, int first, int count)
    {
        var point = count + exponent;
        var fraction = Vector128.Create<byte>(target[(first + Math.Min(point, count))..]);
        Copy(target, first, 0);
        if (exponent >= 0)
        {
            target[count..point].Fill((byte)'0');
            target[point] = (byte)'.';
            target[point + 1] = (byte)'0';
            return point + 2;
        }

        target[point] = (byte)'.';
        fraction.CopyTo(target[(point + 1)..]);
        return count + 1;
    }

    private static void Copy(Span<byte> target, int from, int to) => Vector128.Create<byte>(target[from..]).CopyTo(target[to..]);

    /// <summary>Eight digits as text, by halves, pairs and ones side by side in one word.</summary>
    private static ulong EightDigits(uint value)
    {
        var upper = value / 10_000;
        var fours = upper | ((ulong)(value - (upper * 10_000)) << 32);
        var hundreds = ((fours * 10_486) >> 20) & 0x0000007F_0000007F;
        var pairs = hundreds | ((fours - (hundreds * 100)) << 16);
        var tens = ((pairs * 103) >> 10) & 0x000F000F_000F000F;
        return (tens | ((pairs - (tens * 10)) << 8)) | 0x30303030_30303030;
    }

    private static int FormatScientific(int exponent, Span<byte> target, int first, int count)
    {
        Copy(target, first, 1);
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
}
