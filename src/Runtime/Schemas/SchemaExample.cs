using System.Text;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Why an example does not fit its input, and where.</summary>
internal sealed record ExampleFault(SourcePlace Place, string Message);

/// <summary>Reads examples: a list, nested or flat, or a single value.</summary>
internal static class SchemaExample
{
    /// <summary>Null when the example fits, <paramref name="values"/> being its elements.</summary>
    public static ExampleFault? TryRead(Literal example, SchemaInput input, out IReadOnlyList<object>? values)
    {
        values = null;
        var elements = new List<object>();
        if (Flatten(example, input, elements) is { } fault)
        {
            return fault;
        }

        if (!FitsLength(elements.Count, input.Shape))
        {
            return new(example.Place, $"{elements.Count} elements do not fill the shape {Shapes.Text(input.Shape)}");
        }

        values = elements;
        return null;
    }

    /// <summary>Whether so many elements can fill a shape, whose -1 take what the fixed dimensions leave.</summary>
    public static bool FitsLength(long count, long[] shape)
    {
        long known = 1;
        var varies = false;
        foreach (var dimension in shape)
        {
            varies |= dimension < 0;
            known *= Math.Max(1, dimension);
        }

        return varies ? count % known == 0 : count == known;
    }

    private static ExampleFault? Flatten(Literal literal, SchemaInput input, List<object> elements)
    {
        if (literal is ListLiteral { Items: var items })
        {
            foreach (var item in items)
            {
                if (Flatten(item, input, elements) is { } fault)
                {
                    return fault;
                }
            }

            return null;
        }

        var message = TryConvert(literal, input, out var value);
        elements.Add(value);
        return message is null ? null : new(literal.Place, message);
    }

    private static string? TryConvert(Literal literal, SchemaInput input, out object value)
    {
        value = "";
        switch (literal)
        {
            case TextLiteral text when input.Type == DataType.Bytes:
                value = text.Value;
                return null;
            case BytesLiteral bytes when input.Type == DataType.Bytes:
                return TryDecode(bytes.Value, ref value) ? null : "bytes that are not UTF-8 cannot be shown in JSON";
            case BoolLiteral flag when input.Type == DataType.Bool:
                value = flag.Value;
                return null;
            case IntegerLiteral integer when SchemaDatatypes.IsInteger(input.Type):
                if (!SchemaDatatypes.Holds(input.Type, integer.Value))
                {
                    return OutOfRange(literal, input.Type);
                }

                value = input.Type is DataType.Uint8 or DataType.Uint16 or DataType.Uint32 or DataType.Uint64 ? (object)(ulong)integer.Value : (long)integer.Value;
                return null;
            case IntegerLiteral or FloatLiteral when SchemaDatatypes.IsFloat(input.Type):
                var number = literal is IntegerLiteral whole ? (double)whole.Value : ((FloatLiteral)literal).Value;
                value = number;
                return SchemaDatatypes.Holds(input.Type, number) ? null : OutOfRange(literal, input.Type);
            default:
                return $"{input.TypeName} takes {SchemaDatatypes.Element(input)}, found {literal.Describe()}";
        }
    }

    private static bool TryDecode(byte[] bytes, ref object value)
    {
        try
        {
            value = TextStrings.Utf8.GetString(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static string OutOfRange(Literal literal, DataType type) => $"{literal.Describe()} is out of the range of {type.Name()}, {type.Range()}";
}
