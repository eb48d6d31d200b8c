using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>Reads the entries of maps from strings to InferParameter.</summary>
internal static class ParameterReader
{
    /// <summary>One entry; its value is null where none was set.</summary>
    public static (string Key, ParameterValue? Value) Read(ReadOnlySpan<byte> entry)
    {
        var reader = new WireReader(entry);
        var key = "";
        ParameterValue? value = null;
        while (reader.TryReadTag(out var field, out var type))
        {
            switch ((field, type))
            {
                case (1, WireType.Bytes):
                    key = reader.ReadString();
                    break;
                case (2, WireType.Bytes):
                    value = ReadValue(reader.ReadBytes()) ?? value;
                    break;
                default:
                    reader.Skip(field, type);
                    break;
            }
        }

        return (key, value);
    }

    private static ParameterValue? ReadValue(ReadOnlySpan<byte> data)
    {
        var reader = new WireReader(data);
        ParameterValue? value = null;
        while (reader.TryReadTag(out var field, out var type))
        {
            switch ((field, type))
            {
                case (1, WireType.Varint):
                    value = reader.ReadVarint() != 0;
                    break;
                case (2, WireType.Varint):
                    value = (long)reader.ReadVarint();
                    break;
                case (3, WireType.Bytes):
                    value = reader.ReadString();
                    break;
                case (4, WireType.Fixed64):
                    value = BitConverter.UInt64BitsToDouble(reader.ReadFixed64());
                    break;
                case (5, WireType.Varint):
                    value = reader.ReadVarint();
                    break;
                default:
                    reader.Skip(field, type);
                    break;
            }
        }

        return value;
    }
}
