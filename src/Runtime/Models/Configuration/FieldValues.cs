using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Runtime.Models.Configuration;

/// <summary>Values as the generated messages want them, from what a text says.</summary>
/// <remarks>Integers of all fields are decimals here: they hold them all, and unlike code on <see cref="Int128"/> theirs is compiled before the start.</remarks>
internal static class FieldValues
{
    // Beyond every integer field, and small enough that another digit cannot overflow.
    private const decimal Saturated = 1e27m;

    /// <summary>Reads digits in decimal, octal (leading 0) or hexadecimal (leading 0x), without a sign.</summary>
    public static bool TryParseInteger(string text, out decimal value)
    {
        var isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var radix = isHex ? 16 : text.Length > 1 && text[0] == '0' ? 8 : 10;
        value = 0;
        foreach (var digit in isHex ? text.AsSpan(2) : text)
        {
            var number = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : radix;
            if (number >= radix)
            {
                return false;
            }

            value = decimal.Min((value * radix) + number, Saturated);
        }

        return !isHex || text.Length > 2;
    }

    /// <summary>The integer in the field's own type, or null and the range that it leaves.</summary>
    public static object? Integer(FieldDescriptor field, decimal value, out string range)
    {
        var (low, high) = RangeOf(field)!.Value;
        range = "";
        if (value < low || value > high)
        {
            range = string.Create(CultureInfo.InvariantCulture, $"{low} to {high}");
            return null;
        }

        return (low < 0, high > uint.MaxValue) switch
        {
            (true, false) => (object)(int)value,
            (true, true) => (long)value,
            (false, false) => (uint)value,
            (false, true) => (ulong)value,
        };
    }

    /// <summary>The floating point number in the field's own type.</summary>
    public static object Floating(FieldDescriptor field, double value) => field.FieldType == FieldType.Float ? (object)(float)value : value;

    public static object? EnumByName(FieldDescriptor field, string name) =>
        field.EnumType.FindValueByName(name) is { } value ? Enum.ToObject(field.EnumType.ClrType, value.Number) : null;

    public static object? EnumByNumber(FieldDescriptor field, decimal number) =>
        number >= int.MinValue && number <= int.MaxValue && field.EnumType.FindValueByNumber((int)number) is { } value
            ? Enum.ToObject(field.EnumType.ClrType, value.Number)
            : null;

    /// <summary>What a field is that was not set: of a map's entry, which has no message of its own.</summary>
    public static object Default(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => "",
        FieldType.Message => NewMessage(field),
        FieldType.Bool => false,
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 0),
        FieldType.Float or FieldType.Double => Floating(field, 0),
        _ => Integer(field, 0, out _)!,
    };

    public static IMessage NewMessage(FieldDescriptor field) => field.MessageType.Parser.ParseFrom(ByteString.Empty);

    private static (decimal Low, decimal High)? RangeOf(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int.MinValue, int.MaxValue),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => (long.MinValue, long.MaxValue),
        FieldType.UInt32 or FieldType.Fixed32 => (uint.MinValue, uint.MaxValue),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong.MinValue, ulong.MaxValue),
        _ => null,
    };
}
