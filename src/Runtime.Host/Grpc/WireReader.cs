using System.Buffers.Binary;
using System.Text;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>Protobuf's wire types.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}

/// <summary>Walks one protobuf message's fields over contiguous bytes. Every method throws <see cref="InferenceException"/> on bytes that are none.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private const int MaxGroupDepth = 64;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _data = data;
    private int _position;

    /// <summary>Where the next field begins.</summary>
    public readonly int Position => _position;

    public readonly bool IsAtEnd => _position >= _data.Length;

    /// <summary>Reads the next field's number and wire type; false at the end.</summary>
    public bool TryReadTag(out int field, out WireType type)
    {
        (field, type) = (0, WireType.Varint);
        if (IsAtEnd)
        {
            return false;
        }

        var tag = ReadVarint();
        (field, type) = SplitTag(tag);
        return true;
    }

    public static (int Field, WireType Type) SplitTag(ulong tag)
    {
        var field = tag >> 3;
        var type = (WireType)(tag & 7);
        return field is >= 1 and <= 0x1FFFFFFF && type <= WireType.Fixed32
            ? ((int)field, type)
            : throw Malformed($"{tag} is no field tag");
    }

    public ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (IsAtEnd)
            {
                throw Malformed("it ends inside a number");
            }

            var octet = _data[_position++];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return value;
            }
        }

        throw Malformed("a number has more than ten bytes");
    }

    public uint ReadFixed32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong ReadFixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    /// <summary>A length-delimited field's bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        return length <= int.MaxValue ? Take((int)length) : throw Malformed($"a field claims {length} bytes");
    }

    public string ReadString() => Text(ReadBytes());

    public static string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed("a string is not UTF-8");
        }
    }

    /// <summary>Skips the value of a field that nobody asked for.</summary>
    public void Skip(int field, WireType type) => Skip(field, type, MaxGroupDepth);

    public static InferenceException Malformed(string reason) => new(ErrorCode.Internal, $"failed to parse the request message: {reason}");

    private void Skip(int field, WireType type, int depth)
    {
        switch (type)
        {
            case WireType.Varint:
                ReadVarint();
                break;
            case WireType.Fixed64:
                Take(sizeof(ulong));
                break;
            case WireType.Bytes:
                ReadBytes();
                break;
            case WireType.Fixed32:
                Take(sizeof(uint));
                break;
            case WireType.StartGroup when depth > 0:
                SkipGroup(field, depth - 1);
                break;
            default:
                throw Malformed(type == WireType.StartGroup ? "groups are nested too deeply" : "a group ends that never began");
        }
    }

    private void SkipGroup(int group, int depth)
    {
        while (TryReadTag(out var field, out var type))
        {
            if (type != WireType.EndGroup)
            {
                Skip(field, type, depth);
                continue;
            }

            if (field == group)
            {
                return;
            }

            break;
        }

        throw Malformed("a group does not end");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _data.Length - _position)
        {
            throw Malformed($"a field claims {length} bytes, but only {_data.Length - _position} are left");
        }

        var bytes = _data.Slice(_position, length);
        _position += length;
        return bytes;
    }
}
