using System.Numerics;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>The datatypes of schemas: the protocol's, and STRING, which is BYTES on the wire.</summary>
internal static class SchemaDatatypes
{
    private const string Text = "STRING";

    /// <summary>All of them, in Inferless' order.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [Text, "BOOL", "INT8", "INT16", "INT32", "FP16", "FP32", "UINT8", "UINT16", "UINT32", "UINT64", "INT64", "FP64", "BYTES", "BF16"];

    /// <summary>Reads a name; STRING is BYTES.</summary>
    public static bool TryParse(string name, out DataType type) => DataTypes.TryParse(name == Text ? "BYTES" : name, out type);

    public static bool IsText(string name) => name == Text;

    /// <summary>Whether elements are whole numbers.</summary>
    public static bool IsInteger(DataType type) => type is not (DataType.Bool or DataType.Bytes) && !IsFloat(type);

    public static bool IsFloat(DataType type) => type is DataType.Fp16 or DataType.Bf16 or DataType.Fp32 or DataType.Fp64;

    /// <summary>Whether an integer datatype holds the number.</summary>
    public static bool Holds(DataType type, BigInteger value)
    {
        var bits = type.Size() * 8;
        var isSigned = type is DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64;
        var most = (BigInteger.One << (isSigned ? bits - 1 : bits)) - 1;
        return value <= most && value >= (isSigned ? -most - 1 : 0);
    }

    /// <summary>Whether the number, rounded to a floating-point datatype, stays finite.</summary>
    public static bool Holds(DataType type, double value) => type switch
    {
        DataType.Fp16 => Half.IsFinite((Half)value),
        DataType.Bf16 or DataType.Fp32 => float.IsFinite((float)value),
        _ => double.IsFinite(value),
    };

    /// <summary>What an element is, as messages say it.</summary>
    public static string Element(SchemaInput input) => input.Type switch
    {
        DataType.Bool => "true or false",
        DataType.Bytes => "a string",
        _ => IsFloat(input.Type) ? "a number" : "a whole number",
    };
}
