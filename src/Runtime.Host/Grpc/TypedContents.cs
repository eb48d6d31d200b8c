using System.Buffers.Binary;
using System.Numerics;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Grpc;

/// <summary>Turns InferTensorContents, whose lists are wider than many datatypes, into a tensor's little-endian bytes.</summary>
internal static class TypedContents
{
    /// <summary>The lists by field number, and the datatype that messages name for each.</summary>
    private static readonly DataType[] Lists =
        [default, DataType.Bool, DataType.Int32, DataType.Int64, DataType.Uint32, DataType.Uint64, DataType.Fp32, DataType.Fp64, DataType.Bytes];

    /// <summary>Adds the input to the request, its elements converted; the count is left for whoever checks the shape.</summary>
    /// <exception cref="InferenceException">The list is not the datatype's, or a value is out of its range.</exception>
    public static void Add(InferenceRequest request, string modelName, Tensor input, ReadOnlySpan<byte> contents)
    {
        var byteCount = Measure(contents, input, modelName);
        if (byteCount > Array.MaxLength)
        {
            throw Invalid($"input '{input.Name}' for model '{modelName}' has {byteCount} bytes, more than a tensor can hold");
        }

        request.Inputs.Rent(input.Name, input.Type, input.Shape, byteCount, out var memory);
        var target = new Target(memory.Span, input, modelName);
        var reader = new WireReader(contents);
        while (reader.TryReadTag(out var field, out var type))
        {
            if (!IsList(field, type) || !Holds(Lists[field], input.Type))
            {
                reader.Skip(field, type);
            }
            else if (type == WireType.Bytes)
            {
                target.AddList(reader.ReadBytes());
            }
            else
            {
                target.AddOne(ref reader);
            }
        }
    }

    /// <summary>The tensor's bytes; each list that has elements must be the datatype's.</summary>
    private static long Measure(ReadOnlySpan<byte> contents, Tensor input, string modelName)
    {
        long byteCount = 0;
        var reader = new WireReader(contents);
        while (reader.TryReadTag(out var field, out var type))
        {
            if (!IsList(field, type))
            {
                reader.Skip(field, type);
                continue;
            }

            var list = Lists[field];
            long elements = 1;
            if (list == DataType.Bytes)
            {
                byteCount += sizeof(int) + reader.ReadBytes().Length;
            }
            else if (type == WireType.Bytes)
            {
                elements = Count(reader.ReadBytes(), list);
            }
            else
            {
                reader.Skip(field, type);
            }

            byteCount += elements * input.Type.Size();
            if (elements > 0 && !Holds(list, input.Type))
            {
                throw Invalid($"unexpected explicit tensor data for input tensor '{input.Name}' for model '{modelName}' of type '{list.Name()}', expected datatype '{input.Type.Name()}'");
            }
        }

        return byteCount;
    }

    /// <summary>Whether the field is one of the lists, with a wire type that it can have, packed or not.</summary>
    private static bool IsList(int field, WireType type) => field switch
    {
        >= 1 and <= 5 => type is WireType.Varint or WireType.Bytes,
        6 => type is WireType.Fixed32 or WireType.Bytes,
        7 => type is WireType.Fixed64 or WireType.Bytes,
        8 => type is WireType.Bytes,
        _ => false,
    };

    private static bool Holds(DataType list, DataType type) => type switch
    {
        DataType.Int8 or DataType.Int16 => list == DataType.Int32,
        DataType.Uint8 or DataType.Uint16 => list == DataType.Uint32,
        _ => list == type,
    };

    /// <summary>Elements of a packed list: of numbers, one for each byte that does not continue.</summary>
    private static long Count(ReadOnlySpan<byte> packed, DataType list)
    {
        if (list is DataType.Fp32 or DataType.Fp64)
        {
            return packed.Length % list.Size() == 0 ? packed.Length / list.Size() : throw WireReader.Malformed("a packed list ends inside a number");
        }

        long count = 0;
        foreach (var octet in packed)
        {
            count += octet < 0x80 ? 1 : 0;
        }

        return count;
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    private ref struct Target(Span<byte> memory, Tensor input, string modelName)
    {
        private readonly Span<byte> _memory = memory;
        private int _position;
        private long _index;

        /// <summary>A packed list, or one string.</summary>
        public void AddList(ReadOnlySpan<byte> values)
        {
            if (input.Type == DataType.Bytes)
            {
                BinaryPrimitives.WriteInt32LittleEndian(_memory[_position..], values.Length);
                values.CopyTo(_memory[(_position + sizeof(int))..]);
                _position += sizeof(int) + values.Length;
                return;
            }

            if (input.Type is DataType.Fp32 or DataType.Fp64)
            {
                values.CopyTo(_memory[_position..]);
                _position += values.Length;
                return;
            }

            var reader = new WireReader(values);
            while (!reader.IsAtEnd)
            {
                AddVarint(reader.ReadVarint());
            }
        }

        public void AddOne(ref WireReader reader)
        {
            switch (input.Type)
            {
                case DataType.Fp32:
                    Write(reader.ReadFixed32());
                    break;
                case DataType.Fp64:
                    Write(reader.ReadFixed64());
                    break;
                default:
                    AddVarint(reader.ReadVarint());
                    break;
            }
        }

        private void AddVarint(ulong value)
        {
            switch (input.Type)
            {
                case DataType.Bool:
                    Write((byte)(value != 0 ? 1 : 0));
                    break;
                case DataType.Int8:
                    Write((sbyte)Check((int)value, sbyte.MinValue, sbyte.MaxValue));
                    break;
                case DataType.Int16:
                    Write((short)Check((int)value, short.MinValue, short.MaxValue));
                    break;
                case DataType.Uint8:
                    Write((byte)Check((uint)value, 0, byte.MaxValue));
                    break;
                case DataType.Uint16:
                    Write((ushort)Check((uint)value, 0, ushort.MaxValue));
                    break;
                case DataType.Int32 or DataType.Uint32:
                    Write((uint)value);
                    break;
                default:
                    Write(value);
                    break;
            }

            _index++;
        }

        private readonly long Check(long value, long least, long most) => value >= least && value <= most
            ? value
            : throw Invalid($"value {value} at index {_index} of input '{input.Name}' for model '{modelName}' is out of range: {input.Type.Name()} goes from {least} to {most}");

        private void Write<T>(T value)
            where T : unmanaged, IBinaryInteger<T>
            => _position += value.WriteLittleEndian(_memory[_position..]);
    }
}
