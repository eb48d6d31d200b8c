using System.Globalization;
using System.Text.Json;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Finds the faults in an infer request's <c>inputs</c>.</summary>
internal sealed class InferFaults(InputSchema schema, int maxBatchSize, FaultList faults)
{
    private readonly HashSet<string> _seen = [];
    private long _rows = -1;

    public void Find(JsonElement root)
    {
        var inputs = SchemaFaults.First(root, "inputs");
        if (inputs is { ValueKind: not JsonValueKind.Array } other)
        {
            AddKind("inputs", other, "must be an array of inputs");
            return;
        }

        var index = 0;
        foreach (var element in inputs?.EnumerateArray() ?? default)
        {
            if (faults.IsFull)
            {
                return;
            }

            FindIn(element, $"inputs[{index++.ToString(CultureInfo.InvariantCulture)}]");
        }

        foreach (var input in schema.Inputs)
        {
            if (input.Required && !_seen.Contains(input.Name))
            {
                faults.AddMissing(input);
            }
        }
    }

    private void FindIn(JsonElement element, string place)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            AddKind(place, element, "must be an object with name, shape, datatype and data");
            return;
        }

        var name = SchemaFaults.First(element, "name");
        if (name is not { ValueKind: JsonValueKind.String })
        {
            faults.Add(place, name is null ? FaultCodes.Missing : name.Value.ValueKind == JsonValueKind.Null ? FaultCodes.Null : FaultCodes.WrongType, $"{place} must have a name, a string");
            return;
        }

        var text = name.Value.GetString()!;
        if (!_seen.Add(text))
        {
            faults.AddDuplicate(text);
        }
        else if (schema.Inputs.FirstOrDefault(input => input.Name == text) is { } input)
        {
            FindDatatype(element, input);
            FindData(element, input, FindShape(element, input));
        }
        else
        {
            faults.AddUnknown(text);
        }
    }

    private void FindDatatype(JsonElement element, SchemaInput input)
    {
        var datatype = SchemaFaults.First(element, "datatype");
        if (datatype is not { ValueKind: JsonValueKind.String })
        {
            faults.AddTo(input.Name, FaultCodes.WrongDatatype, $"must have a datatype, the string {input.TypeName}");
            return;
        }

        var text = datatype.Value.GetString()!;
        if (!SchemaDatatypes.TryParse(text, out var type) || type != input.Type)
        {
            faults.AddDatatype(input, text);
        }
    }

    /// <summary>The shape that the request declares; null where it declares none that could be counted.</summary>
    private long[]? FindShape(JsonElement element, SchemaInput input)
    {
        var declared = SchemaFaults.First(element, "shape");
        if (declared is not { ValueKind: JsonValueKind.Array })
        {
            faults.AddTo(input.Name, FaultCodes.WrongShape, $"must have a shape, an array such as {Shapes.Text([.. input.Shape.Select(dimension => Math.Max(1, dimension))])}");
            return null;
        }

        var shape = new List<long>();
        foreach (var dimension in declared.Value.EnumerateArray())
        {
            if (dimension.ValueKind != JsonValueKind.Number || !dimension.TryGetInt64(out var value) || value < 0)
            {
                faults.AddTo(input.Name, FaultCodes.WrongShape, $"has the dimension {Shown(dimension)} at shape[{shape.Count}], expected a whole number of 0 or more");
                return null;
            }

            shape.Add(value);
        }

        long[] dimensions = [.. shape];
        var fault = new ShapeForms(input.Shape, maxBatchSize).Fit(dimensions, out var rows);
        if (fault != ShapeFault.None)
        {
            faults.AddShape(input, dimensions.AsSpan(0, Math.Min(dimensions.Length, 32)), fault, rows);
            return dimensions;
        }

        if (_rows >= 0 && rows != _rows)
        {
            faults.AddRows(input, rows, _rows);
        }

        _rows = _rows < 0 ? rows : _rows;
        return dimensions;
    }

    private void FindData(JsonElement element, SchemaInput input, long[]? shape)
    {
        var data = SchemaFaults.First(element, "data");
        if (data is not { } value)
        {
            // The elements may follow the JSON, or be in shared memory.
            if (SchemaFaults.First(element, "parameters") is not { ValueKind: JsonValueKind.Object } parameters
                || (SchemaFaults.First(parameters, "binary_data_size") is null && SchemaFaults.First(parameters, "shared_memory_region") is null))
            {
                faults.AddTo(input.Name, FaultCodes.Missing, "has no data");
            }

            return;
        }

        if (value.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
        {
            faults.AddTo(input.Name, FaultCodes.WrongNesting, $"has {Shown(value)} as data, expected an array");
            return;
        }

        var elements = new ElementFaults(input, faults);
        var isWhole = elements.Find(value, "data");
        if (isWhole && shape is not null && elements.Count != Shapes.ElementCount(shape))
        {
            faults.AddTo(input.Name, FaultCodes.WrongLength, $"has {FaultList.Number(elements.Count)} elements, its shape {Shapes.Text(shape)} takes {FaultList.Number(Shapes.ElementCount(shape))}");
        }
    }

    private void AddKind(string place, JsonElement found, string expected) => faults.Add(
        place,
        found.ValueKind == JsonValueKind.Null ? FaultCodes.Null : FaultCodes.WrongNesting,
        $"'{place}' {expected}, found {Shown(found)}");

    private static string Shown(JsonElement element) => ElementFaults.Show(element);
}
