using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Runtime.Host.Http;

/// <summary>What can be wrong with an element of a JSON array of numbers or booleans.</summary>
internal enum ElementFault
{
    None,

    /// <summary>Not JSON.</summary>
    Syntax,

    /// <summary>JSON of another kind: a fraction for an integer, a string for a number.</summary>
    WrongKind,

    /// <summary>A number that the datatype does not hold.</summary>
    OutOfRange,

    /// <summary>More elements than the tensor has.</summary>
    TooMany,

    /// <summary>Nested deeper than JSON may be.</summary>
    TooDeep,
}

/// <summary>Reads one kind of JSON value at a position, which it moves behind the value.</summary>
internal interface IElementReader<T>
{
    static abstract ElementFault Read(ReadOnlySpan<byte> text, ref int position, out T value);
}

/// <summary>Integers, refused where the datatype does not hold them.</summary>
internal readonly struct IntegerReader<T> : IElementReader<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out T value)
    {
        value = default;
        var i = position;
        var negative = i < text.Length && text[i] == '-';
        i += negative ? 1 : 0;
        var start = i;
        ulong magnitude = 0;
        for (uint digit; i < text.Length && (digit = text[i] - (uint)'0') <= 9; i++)
        {
            magnitude = magnitude * 10 + digit;
        }

        var digits = i - start;
        if (digits == 0 || (i < text.Length && text[i] is (byte)'.' or (byte)'e' or (byte)'E'))
        {
            return ElementFault.WrongKind;
        }

        if (digits > 1 && text[start] == '0')
        {
            return ElementFault.Syntax;
        }

        if (digits > 19 && !ulong.TryParse(text[start..i], NumberStyles.None, CultureInfo.InvariantCulture, out magnitude))
        {
            return ElementFault.OutOfRange;
        }

        var most = negative ? ulong.CreateTruncating(T.Zero - T.MinValue) & (ulong.MaxValue >> (64 - 8 * Unsafe.SizeOf<T>())) : ulong.CreateTruncating(T.MaxValue);
        if (magnitude > most)
        {
            return ElementFault.OutOfRange;
        }

        value = T.CreateTruncating(negative ? 0 - magnitude : magnitude);
        position = i;
        return ElementFault.None;
    }
}

/// <summary>FP64: the nearest double. NaN, Infinity and -Infinity are read as bare words.</summary>
internal readonly struct DoubleReader : IElementReader<double>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out double value) => DecimalText.TryRead(text, ref position, out value);
}

/// <summary>FP32: the nearest double, then the nearest float, as Triton rounds.</summary>
internal readonly struct SingleReader : IElementReader<float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out float value)
    {
        var fault = DecimalText.TryRead(text, ref position, out var wide);
        value = (float)wide;
        return fault;
    }
}

/// <summary>FP16.</summary>
internal readonly struct HalfReader : IElementReader<Half>
{
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out Half value)
    {
        var fault = DecimalText.TryRead(text, ref position, out var wide);
        value = (Half)wide;
        return fault;
    }
}

/// <summary>BF16: the upper half of the nearest float, rounded to even.</summary>
internal readonly struct BrainReader : IElementReader<ushort>
{
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out ushort value)
    {
        var fault = DecimalText.TryRead(text, ref position, out var wide);
        var bits = BitConverter.SingleToUInt32Bits((float)wide);
        value = double.IsNaN(wide) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        return fault;
    }
}

/// <summary>BOOL: true and false.</summary>
internal readonly struct BoolReader : IElementReader<byte>
{
    public static ElementFault Read(ReadOnlySpan<byte> text, ref int position, out byte value)
    {
        var rest = text[position..];
        value = rest.StartsWith("true"u8) ? (byte)1 : (byte)0;
        if (value == 0 && !rest.StartsWith("false"u8))
        {
            return ElementFault.WrongKind;
        }

        position += value == 1 ? 4 : 5;
        return ElementFault.None;
    }
}
