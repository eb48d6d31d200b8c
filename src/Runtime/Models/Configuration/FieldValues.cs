using System.Globalization;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Runtime.Models.Configuration;

/// <summary>Values as <see cref="FieldTarget"/> stores them, from what a text says.</summary>
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

    /// <summary>The integer as a long or, beyond those, a ulong; or null and the range of the field's type that it leaves.</summary>
    public static object? Integer(ConfigField field, decimal value, out string range)
    {
        decimal low = field.Type == FieldType.Int32 ? int.MinValue : field.Type == FieldType.Int64 ? long.MinValue : 0;
        decimal high = field.Type switch
        {
            FieldType.Int32 => int.MaxValue,
            FieldType.Int64 => long.MaxValue,
            FieldType.Uint32 => uint.MaxValue,
            FieldType.Uint64 => ulong.MaxValue,
            _ => throw new NotSupportedException($"'{field.Name}' has the type {field.Type}, which no configuration has had"),
        };
        range = "";
        if (value < low || value > high)
        {
            range = string.Create(CultureInfo.InvariantCulture, $"{low} to {high}");
            return null;
        }

        return value > long.MaxValue ? (ulong)value : (object)(long)value;
    }

    /// <summary>The floating point number in the field's own type.</summary>
    public static object Floating(ConfigField field, double value) => field.Type == FieldType.Float ? (object)(float)value : value;

    /// <summary>The number of the enum's value of that name as a long; null when it has none.</summary>
    public static object? EnumByName(ConfigField field, string name) => field.Enum.Find(name) is { } number ? (long)number : null;

    /// <summary>The number as a long; null when no value of the enum has it.</summary>
    public static object? EnumByNumber(ConfigField field, decimal number) => field.Enum.Has(number) ? (long)number : null;

    /// <summary>The key of a map's entry that names none.</summary>
    public static object DefaultKey(ConfigField key) => key.Type == FieldType.String ? "" : 0L;
}
