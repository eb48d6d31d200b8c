using System.Buffers.Binary;
using System.Collections.Frozen;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Checks requests against a model's schema. One instance serves all threads.</summary>
public sealed class SchemaValidator
{
    private readonly SchemaInput[] _inputs;
    private readonly string _model;
    private readonly int _maxBatchSize;
    private readonly FrozenDictionary<string, int> _positions;
    private readonly ShapeForms[] _forms;
    private readonly int _requiredCount;

    /// <summary>A validator for the model of that name; a <paramref name="maxBatchSize"/> of 0 is a model without batches.</summary>
    public SchemaValidator(InputSchema schema, string model, int maxBatchSize)
    {
        Schema = schema;
        _inputs = [.. schema.Inputs];
        _model = model;
        _maxBatchSize = maxBatchSize;
        _positions = schema.Inputs.Select((input, position) => (input.Name, position)).ToFrozenDictionary(pair => pair.Name, pair => pair.position, StringComparer.Ordinal);
        _forms = [.. schema.Inputs.Select(input => new ShapeForms(input.Shape, maxBatchSize))];
        _requiredCount = schema.Inputs.Count(input => input.Required);
    }

    public InputSchema Schema { get; }

    /// <summary>
    /// Null when the request fits; its inputs then have the schema's shapes, behind a row dimension where the model batches. Otherwise
    /// every fault that can be seen in its tensors.
    /// </summary>
    public InferenceError? Check(InferenceRequest request)
    {
        var inputs = request.Inputs;
        Span<ulong> seen = stackalloc ulong[(_forms.Length + 63) / 64];
        var required = 0;
        long rows = -1;
        for (var i = 0; i < inputs.Count; i++)
        {
            var tensor = inputs[i];
            var position = PositionOf(tensor.Name, i);
            if (position < 0 || !TryMark(seen, position) || !Fits(tensor, position, ref rows))
            {
                return Describe(request);
            }

            required += _inputs[position].Required ? 1 : 0;
            if (_forms[position].Normalize(tensor.Shape, rows) is { } shape)
            {
                inputs.Replace(i, tensor with { Shape = shape });
            }
        }

        return required == _requiredCount ? null : Describe(request);
    }

    /// <summary>
    /// Every fault in a request's JSON, for one that could not be read or did not pass; null where the text is no JSON or has no
    /// fault that the schema knows, and what was found before stands.
    /// </summary>
    public InferenceError? Explain(ReadOnlyMemory<byte> json, RequestForm form) => SchemaFaults.Find(json, form, Schema, _model, _maxBatchSize);

    /// <summary>The schema's position of a name, which mostly is that in the request.</summary>
    private int PositionOf(string name, int guess)
        => guess < _forms.Length && _inputs[guess].Name == name ? guess : _positions.GetValueOrDefault(name, -1);

    private static bool TryMark(Span<ulong> seen, int position)
    {
        ref var word = ref seen[position / 64];
        var bit = 1UL << (position % 64);
        var isNew = (word & bit) == 0;
        word |= bit;
        return isNew;
    }

    private bool Fits(Tensor tensor, int position, ref long rows)
    {
        if (tensor.Type != _inputs[position].Type || _forms[position].Fit(tensor.Shape, out var found) != ShapeFault.None || (rows >= 0 && rows != found))
        {
            return false;
        }

        rows = found;
        var count = _forms[position].CountElements(tensor.Shape, found);
        return count is >= 0 and <= int.MaxValue
            && (tensor.Type == DataType.Bytes ? CountStrings(tensor.Data.Span) == count : tensor.Data.Length == count * tensor.Type.Size());
    }

    /// <summary>The strings in a tensor's bytes; -1 if the last is not whole.</summary>
    private static long CountStrings(ReadOnlySpan<byte> data)
    {
        long count = 0;
        for (; data.Length > 0; count++)
        {
            if (data.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(data) is var length && length > data.Length - 4)
            {
                return -1;
            }

            data = data[(4 + (int)BinaryPrimitives.ReadUInt32LittleEndian(data))..];
        }

        return count;
    }

    private InferenceError? Describe(InferenceRequest request)
    {
        var faults = new FaultList(Schema, _maxBatchSize);
        var seen = new bool[_forms.Length];
        long rows = -1;
        foreach (var tensor in request.Inputs.Tensors)
        {
            var position = _positions.GetValueOrDefault(tensor.Name, -1);
            if (position < 0)
            {
                faults.AddUnknown(tensor.Name);
            }
            else if (seen[position])
            {
                faults.AddDuplicate(tensor.Name);
            }
            else
            {
                seen[position] = true;
                Describe(tensor, position, ref rows, faults);
            }
        }

        for (var i = 0; i < seen.Length; i++)
        {
            if (!seen[i] && _inputs[i].Required)
            {
                faults.AddMissing(_inputs[i]);
            }
        }

        return faults.ToError(_model);
    }

    private void Describe(Tensor tensor, int position, ref long rows, FaultList faults)
    {
        var input = _inputs[position];
        if (tensor.Type != input.Type)
        {
            faults.AddDatatype(input, tensor.Type.Name());
        }

        var fault = _forms[position].Fit(tensor.Shape, out var found);
        if (fault != ShapeFault.None)
        {
            faults.AddShape(input, tensor.Shape, fault, found);
            return;
        }

        if (rows >= 0 && rows != found)
        {
            faults.AddRows(input, found, rows);
        }

        rows = rows < 0 ? found : rows;
        if (tensor.Type == input.Type)
        {
            DescribeLength(tensor, faults);
        }
    }

    private static void DescribeLength(Tensor tensor, FaultList faults)
    {
        var isText = tensor.Type == DataType.Bytes;
        var found = isText ? CountStrings(tensor.Data.Span) : tensor.Data.Length;
        var expected = isText ? tensor.ElementCount : Shapes.ByteSize(tensor.Type, tensor.Shape);
        if (found < 0)
        {
            faults.AddTo(tensor.Name, FaultCodes.WrongLength, "ends within a string");
        }
        else if (found != expected)
        {
            var unit = isText ? "strings" : "bytes";
            var takes = expected < 0 ? "more than can be counted" : FaultList.Number(expected);
            faults.AddTo(tensor.Name, FaultCodes.WrongLength, $"has {FaultList.Number(found)} {unit}, its shape {Shapes.Text(tensor.Shape)} takes {takes}");
        }
    }
}
