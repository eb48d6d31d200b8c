using System.Text.Json;
using Runtime.Host.Nvcf;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>Reads one element of a request's <c>inputs</c>. Of equal keys the first counts; unknown keys are ignored.</summary>
internal ref struct InputJson(InferContext context, InferCall call)
{
    private const int MostDimensions = 64;

    private string? _name;
    private string? _typeText;
    private DataType _type;
    private long[]? _shape;
    private int _dataStart = -1;
    private bool _hasData;
    private ulong? _binarySize;
    private RegionJson _region;
    private string? _asset;

    /// <summary>Reads the object that the cursor is at, and adds its tensor to the request.</summary>
    public void Read(ref JsonCursor cursor)
    {
        if (cursor.Token != JsonTokenType.StartObject)
        {
            throw cursor.Wrong("name", "non-object as object");
        }

        while (cursor.ReadMember())
        {
            ReadMember(ref cursor);
        }

        var head = Head();
        CheckSource(head.Name);
        if (_dataStart >= 0 && !_hasData)
        {
            CheckJson(head);
            TensorJsonReader.ReadArray(cursor, _dataStart, head, call.Request.Inputs);
        }
        else if (_binarySize is { } size)
        {
            AddBinary(head, size);
        }
        else if (_region.IsNamed)
        {
            AddRegion(head);
        }
        else if (_asset is not null)
        {
            context.Assets!.Add(call.Request.Inputs, new Tensor(head.Name, head.Type, head.Shape, default), _asset);
        }
    }

    private void ReadMember(ref JsonCursor cursor)
    {
        if (_name is null && cursor.Is("name"u8))
        {
            cursor.Read();
            _name = cursor.GetName(context.Model.Inputs);
        }
        else if (_shape is null && cursor.Is("shape"u8))
        {
            cursor.Read();
            _shape = ReadShape(ref cursor);
        }
        else if (_typeText is null && cursor.Is("datatype"u8))
        {
            cursor.Read();
            _typeText = cursor.Token == JsonTokenType.String && DataTypes.TryParse(cursor.Raw, out _type) ? _type.Name() : cursor.GetString("datatype");
        }
        else if (_dataStart < 0 && cursor.Is("data"u8))
        {
            ReadData(ref cursor);
        }
        else if (cursor.Is("parameters"u8))
        {
            ReadParameters(ref cursor);
        }
        else
        {
            cursor.Skip();
        }
    }

    /// <summary>Reads the elements at once where the tensor is known already, or remembers where they are.</summary>
    private void ReadData(ref JsonCursor cursor)
    {
        _dataStart = cursor.ValueStart();
        if (_dataStart >= cursor.Text.Length || cursor.Text[_dataStart] != '[')
        {
            throw cursor.Wrong("data", "non-array as array");
        }

        int end;
        if (_name is not null && _shape is not null && _typeText is not null && _binarySize is null && !_region.IsNamed && _asset is null)
        {
            var head = Head();
            CheckJson(head);
            end = TensorJsonReader.ReadArray(cursor, _dataStart, head, call.Request.Inputs);
            _hasData = true;
        }
        else
        {
            end = cursor.SkipNested(_dataStart, out _);
            if (end < 0)
            {
                throw JsonCursor.Invalid($"failed to parse the request JSON buffer: Missing a comma or ] after an array element. at {cursor.Text.Length}");
            }
        }

        cursor.ContinueAt(end);
    }

    private void ReadParameters(ref JsonCursor cursor)
    {
        cursor.Read();
        if (cursor.Token != JsonTokenType.StartObject)
        {
            cursor.Skip();
            return;
        }

        while (cursor.ReadMember())
        {
            if (_binarySize is null && cursor.Is("binary_data_size"u8))
            {
                cursor.Read();
                _binarySize = cursor.GetUint64("binary_data_size");
            }
            else if (context.Assets is not null && _asset is null && cursor.Is(AssetInputs.Key))
            {
                cursor.Read();
                _asset = cursor.GetString(AssetInputs.Key);
            }
            else if (!_region.TryRead(ref cursor))
            {
                cursor.Skip();
            }
        }
    }

    private static long[] ReadShape(ref JsonCursor cursor)
    {
        if (cursor.Token != JsonTokenType.StartArray)
        {
            throw cursor.Wrong("shape", "non-array as array");
        }

        Span<long> dimensions = stackalloc long[MostDimensions];
        var count = 0;
        while (cursor.ReadElement())
        {
            if (!cursor.TryGetUint64(out var dimension) || dimension > long.MaxValue)
            {
                throw cursor.Wrong("shape", "non-unsigned-integer as unsigned-integer");
            }

            if (count == MostDimensions)
            {
                throw JsonCursor.Invalid($"Unable to parse 'shape': more than {MostDimensions} dimensions (at byte {cursor.Position})");
            }

            dimensions[count++] = (long)dimension;
        }

        return dimensions[..count].ToArray();
    }

    private readonly TensorHead Head()
    {
        if (_name is null || _shape is null || _typeText is null)
        {
            throw JsonCursor.Missing(_name is null ? "name" : _shape is null ? "shape" : "datatype");
        }

        if (_typeText != _type.Name())
        {
            throw JsonCursor.Invalid($"invalid datatype for input {_name}: '{_typeText}'");
        }

        if (Shapes.ElementCount(_shape) < 0)
        {
            throw JsonCursor.Invalid($"invalid shape for input '{_name}': shape {Shapes.Text(_shape)} causes total element count to exceed maximum size of {long.MaxValue}");
        }

        if (Shapes.ByteSize(_type, _shape) < 0)
        {
            throw JsonCursor.Invalid(
                $"byte size overflow for input '{_name}': element count ({Shapes.ElementCount(_shape)}) * data type size ({_type.Size()}) exceeds maximum allowed size ({long.MaxValue})");
        }

        return new TensorHead(_name, _type, _shape);
    }

    private readonly void CheckSource(string name)
    {
        var set = (_dataStart >= 0 ? " 'data'" : "") + (_binarySize is not null ? " 'binary_data_size'" : "") + (_region.IsNamed ? " 'shared_memory_region'" : "") + (_asset is not null ? " 'asset_id'" : "");
        if (set.Length == 0 || set.LastIndexOf(' ') > 0)
        {
            throw JsonCursor.Invalid(
                "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. "
                + (set.Length == 0 ? "But no field is set" : "But set" + set) + $" (input '{name}')");
        }
    }

    private readonly void CheckJson(in TensorHead head)
    {
        if (head.Type is DataType.Fp16 or DataType.Bf16 && !context.AllowsHalfPrecision)
        {
            throw JsonCursor.Invalid(
                $"receiving {head.Type.Name()} data via JSON is not supported. Please use the binary data format for input {head.Name}, or start the server with --http-half-precision-json=true");
        }

        var size = Shapes.ByteSize(head.Type, head.Shape);
        if (size > context.MaxInputSize)
        {
            throw JsonCursor.Invalid(
                $"JSON input '{head.Name}' has a byte_size ({size} bytes) that exceeds the maximum allowed value of {context.MaxInputSize} bytes. Use --http-max-input-size to increase the limit.");
        }
    }

    /// <summary>Rents what follows the JSON, checked against what can follow it.</summary>
    private readonly void AddBinary(in TensorHead head, ulong size)
    {
        var before = call.BinaryInputs?.Sum(static input => (long)input.Memory.Length) ?? 0;
        var left = (ulong)Math.Max(0, Math.Min(context.BinarySize, context.MaxInputSize) - before);
        if (size > left)
        {
            throw JsonCursor.Invalid($"unexpected size for input '{head.Name}', expecting {size - left} additional bytes for model '{context.Model.Name}'");
        }

        call.Request.Inputs.Rent(head.Name, head.Type, head.Shape, (long)size, out var memory);
        (call.BinaryInputs ??= []).Add(new BinaryInput(head.Name, memory));
    }

    private readonly void AddRegion(in TensorHead head)
    {
        var region = _region.Map(context.Regions);
        call.Request.Inputs.Add(new Tensor(head.Name, head.Type, head.Shape, region.Memory), region);
    }
}
