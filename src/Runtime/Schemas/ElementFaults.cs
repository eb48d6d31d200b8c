using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Finds the faults in one input's elements, which may be flat, nested, or one value.</summary>
internal sealed class ElementFaults(SchemaInput input, FaultList faults)
{
    // Every integer with more digits is outside of every datatype.
    private const int MostDigits = 20;
    private const int LongestShown = 40;

    private readonly List<int> _path = [];
    private bool _isMisshapen;

    /// <summary>The elements found, faulty ones included.</summary>
    public long Count { get; private set; }

    /// <summary>Walks the value; false where its elements cannot be counted.</summary>
    public bool Find(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            faults.AddTo(input.Name, FaultCodes.Null, $"{(place.Length == 0 ? "is" : $"has as {place}")} null; {(input.Required ? "it is required" : "leave an optional input away instead")}");
            return false;
        }

        Walk(value);
        return !_isMisshapen && !faults.IsFull;
    }

    /// <summary>A value as messages show it.</summary>
    public static string Show(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => Cut(element.GetRawText()),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private static string Cut(string number) => number.Length > LongestShown ? number[..LongestShown] + "..." : number;

    private void Walk(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            WalkArray(value);
            return;
        }

        Count++;
        if (value.ValueKind == JsonValueKind.Object)
        {
            Add(FaultCodes.WrongNesting, $"is an object, expected {SchemaDatatypes.Element(input)}");
        }
        else if (value.ValueKind == JsonValueKind.Null)
        {
            Add(FaultCodes.Null, $"is null, expected {SchemaDatatypes.Element(input)}");
        }
        else if (!IsKind(value))
        {
            Add(FaultCodes.WrongType, $"is {Show(value)}, expected {SchemaDatatypes.Element(input)}");
        }
        else if (value.ValueKind == JsonValueKind.Number && !Holds(value))
        {
            Add(FaultCodes.OutOfRange, $"is {Cut(value.GetRawText())}, out of the range of {input.TypeName}, {input.Type.Range()}");
        }
    }

    private void WalkArray(JsonElement array)
    {
        if (_path.Count > input.Shape.Length)
        {
            if (!_isMisshapen)
            {
                Add(FaultCodes.WrongNesting, $"is an array, nested deeper than the shape {Tensors.Shapes.Text(input.Shape)} and a row dimension");
            }

            _isMisshapen = true;
            return;
        }

        _path.Add(0);
        var index = 0;
        bool? isNested = null;
        foreach (var item in array.EnumerateArray())
        {
            if (faults.IsFull)
            {
                break;
            }

            _path[^1] = index++;
            var isArray = item.ValueKind == JsonValueKind.Array;
            if (isArray == (isNested ??= isArray))
            {
                Walk(item);
            }
            else
            {
                _isMisshapen = true;
                Add(FaultCodes.WrongNesting, isArray ? "is an array beside single elements" : $"is {Show(item)} beside arrays");
            }
        }

        _path.RemoveAt(_path.Count - 1);
    }

    private bool IsKind(JsonElement value) => input.Type switch
    {
        Tensors.DataType.Bytes => value.ValueKind == JsonValueKind.String,
        Tensors.DataType.Bool => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => value.ValueKind == JsonValueKind.Number && (SchemaDatatypes.IsFloat(input.Type) || value.TryGetInt64(out _) || value.GetRawText().AsSpan().IndexOfAny(".eE") < 0),
    };

    private bool Holds(JsonElement number)
    {
        if (SchemaDatatypes.IsFloat(input.Type))
        {
            return SchemaDatatypes.Holds(input.Type, number.GetDouble());
        }

        if (number.TryGetInt64(out var value))
        {
            return SchemaDatatypes.Holds(input.Type, new BigInteger(value));
        }

        var text = number.GetRawText();
        return text.TrimStart('-').Length <= MostDigits && SchemaDatatypes.Holds(input.Type, BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    private void Add(string code, string fault)
    {
        var place = new StringBuilder();
        foreach (var index in _path)
        {
            place.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
        }

        faults.AddTo(input.Name, code, place.Length == 0 ? fault : $"at {place} {fault}");
    }
}
