using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>One element of padding, from a parameter's text.</summary>
internal static class PaddingElement
{
    /// <summary>The element's bytes as tensors hold them, zero or the empty string without a text; null where the datatype has no such value.</summary>
    public static byte[]? TryParse(DataType type, string? text) => type switch
    {
        DataType.Bytes => Text(text ?? ""),
        _ when text is null => new byte[type.Size()],
        DataType.Bool => text switch
        {
            "true" or "1" => [1],
            "false" or "0" => [0],
            _ => null,
        },
        DataType.Uint8 => Number<byte>(text),
        DataType.Uint16 => Number<ushort>(text),
        DataType.Uint32 => Number<uint>(text),
        DataType.Uint64 => Number<ulong>(text),
        DataType.Int8 => Number<sbyte>(text),
        DataType.Int16 => Number<short>(text),
        DataType.Int32 => Number<int>(text),
        DataType.Int64 => Number<long>(text),
        DataType.Fp16 => Real(text, static value => (Half)value, Half.IsInfinity),
        DataType.Bf16 => Real(text, static value => RoundToBf16((float)value), static bits => (bits & 0x7fff) == 0x7f80),
        DataType.Fp32 => Real(text, static value => (float)value, float.IsInfinity),
        _ => Real(text, static value => value, double.IsInfinity),
    };

    private static byte[] Text(string text)
    {
        var element = new byte[4 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt32LittleEndian(element, element.Length - 4);
        Encoding.UTF8.GetBytes(text, element.AsSpan(4));
        return element;
    }

    private static byte[]? Number<T>(string text)
        where T : unmanaged, ISpanParsable<T>, System.Numerics.INumberBase<T>
        => T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? Bytes(value) : null;

    /// <summary>Infinity is a value only where the text says so, as masks do (<c>-inf</c>); a number too large is none.</summary>
    private static byte[]? Real<T>(string text, Func<double, T> convert, Func<T, bool> isInfinite)
        where T : unmanaged
    {
        var isInfinity = text.TrimStart('+', '-') is "inf" or "Infinity";
        var spelled = text.EndsWith("inf", StringComparison.Ordinal) ? text + "inity" : text;
        if (!double.TryParse(spelled, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
        {
            return null;
        }

        var converted = convert(value);
        return isInfinite(converted) == isInfinity ? Bytes(converted) : null;
    }

    /// <summary>The upper half of the float, rounded to the nearest, to even at the middle.</summary>
    private static ushort RoundToBf16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
