namespace Runtime.Tensors;

/// <summary>The element types of the KServe v2 protocol, Triton's BF16 included.</summary>
public enum DataType
{
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Bf16,
    Fp32,
    Fp64,
    Bytes,
}

/// <summary>Names and sizes of the datatypes.</summary>
public static class DataTypes
{
    private static readonly string[] Names =
        ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES"];

    private static readonly byte[][] Utf8Names = [.. Names.Select(System.Text.Encoding.ASCII.GetBytes)];

    private static readonly int[] Sizes = [1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0];

    /// <summary>Bytes of one element; 0 for BYTES, whose elements carry their own length.</summary>
    public static int Size(this DataType type) => Sizes[(int)type];

    /// <summary>The name on the wire, such as <c>INT32</c> or <c>BYTES</c>.</summary>
    public static string Name(this DataType type) => Names[(int)type];

    /// <summary>The name on the wire as UTF-8.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this DataType type) => Utf8Names[(int)type];

    /// <summary>The name in a model's configuration, such as <c>TYPE_INT32</c> or <c>TYPE_STRING</c>.</summary>
    public static string ConfigName(this DataType type) => type == DataType.Bytes ? "TYPE_STRING" : "TYPE_" + type.Name();

    /// <summary>Reads a wire name; names are case-sensitive, as in the protocol.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out DataType type)
    {
        for (var i = 0; i < Utf8Names.Length; i++)
        {
            if (name.SequenceEqual(Utf8Names[i]))
            {
                type = (DataType)i;
                return true;
            }
        }

        // Inferless' name for it.
        type = DataType.Bytes;
        return name.SequenceEqual("STRING"u8);
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out DataType)"/>
    public static bool TryParse(string name, out DataType type)
    {
        var index = Array.IndexOf(Names, name == "STRING" ? "BYTES" : name);
        type = (DataType)Math.Max(index, 0);
        return index >= 0;
    }

    /// <summary>The smallest and largest number of a datatype.</summary>
    public static string Range(this DataType type) => type switch
    {
        DataType.Uint8 => "0 to 255",
        DataType.Uint16 => "0 to 65535",
        DataType.Uint32 => "0 to 4294967295",
        DataType.Uint64 => "0 to 18446744073709551615",
        DataType.Int8 => "-128 to 127",
        DataType.Int16 => "-32768 to 32767",
        DataType.Int32 => "-2147483648 to 2147483647",
        DataType.Int64 => "-9223372036854775808 to 9223372036854775807",
        DataType.Fp16 => "-65504 to 65504",
        DataType.Fp64 => "-1.7976931348623157e308 to 1.7976931348623157e308",
        _ => "-3.4e38 to 3.4e38",
    };
}
