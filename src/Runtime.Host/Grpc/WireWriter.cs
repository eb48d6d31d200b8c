using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>Writes protobuf fields into memory that was measured before. Fields of the value 0 or "" are left out by the caller.</summary>
internal ref struct WireWriter(Span<byte> target)
{
    private readonly Span<byte> _target = target;

    public int Position { get; private set; }

    public static int VarintSize(ulong value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>Bytes of a length-delimited field, its tag (of a field number up to 15) and length included.</summary>
    public static long FieldSize(long length) => 1 + VarintSize((ulong)length) + length;

    /// <summary>Bytes of a string field; 0 for the empty string, which is not written.</summary>
    public static long StringSize(string value) => value.Length == 0 ? 0 : FieldSize(Encoding.UTF8.GetByteCount(value));

    /// <summary>Bytes of one entry's content in a map from strings to InferParameter.</summary>
    public static long EntrySize(string key, ParameterValue value) => FieldSize(Encoding.UTF8.GetByteCount(key)) + FieldSize(ValueSize(value));

    public void Tag(int field, WireType type) => _target[Position++] = (byte)((field << 3) | (int)type);

    public void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _target[Position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _target[Position++] = (byte)value;
    }

    /// <summary>The beginning of a length-delimited field.</summary>
    public void Prefix(int field, long length)
    {
        Tag(field, WireType.Bytes);
        Varint((ulong)length);
    }

    public void String(int field, string value)
    {
        if (value.Length > 0)
        {
            Prefix(field, Encoding.UTF8.GetByteCount(value));
            Position += Encoding.UTF8.GetBytes(value, _target[Position..]);
        }
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        value.CopyTo(_target[Position..]);
        Position += value.Length;
    }

    /// <summary>One entry of a map from strings to InferParameter.</summary>
    public void Entry(int field, string key, ParameterValue value)
    {
        Prefix(field, EntrySize(key, value));
        Prefix(1, Encoding.UTF8.GetByteCount(key));
        Position += Encoding.UTF8.GetBytes(key, _target[Position..]);
        Prefix(2, ValueSize(value));
        Value(value);
    }

    private static long ValueSize(ParameterValue value) => value.Kind switch
    {
        ParameterKind.Bool => 2,
        ParameterKind.Int64 or ParameterKind.Uint64 => 1 + VarintSize(value.AsUint64),
        ParameterKind.Double => 1 + sizeof(double),
        _ => FieldSize(Encoding.UTF8.GetByteCount(value.AsString)),
    };

    private void Value(ParameterValue value)
    {
        switch (value.Kind)
        {
            case ParameterKind.Bool:
                Tag(1, WireType.Varint);
                Varint(value.AsBool ? 1u : 0u);
                break;
            case ParameterKind.Int64:
                Tag(2, WireType.Varint);
                Varint(value.AsUint64);
                break;
            case ParameterKind.Double:
                Tag(4, WireType.Fixed64);
                BinaryPrimitives.WriteDoubleLittleEndian(_target[Position..], value.AsDouble);
                Position += sizeof(double);
                break;
            case ParameterKind.Uint64:
                Tag(5, WireType.Varint);
                Varint(value.AsUint64);
                break;
            default:
                Prefix(3, Encoding.UTF8.GetByteCount(value.AsString));
                Position += Encoding.UTF8.GetBytes(value.AsString, _target[Position..]);
                break;
        }
    }
}
