using Google.Protobuf;

namespace Runtime.Models.Configuration;

/// <summary>A message that is being read, or an entry of a map: which of its fields were set, and with what.</summary>
internal sealed class FieldTarget(ConfigMessage type)
{
    // Most messages are shorter, and there are many; what is longer passes through.
    private const int BufferLength = 256;

    private readonly bool[] _isSet = new bool[type.Fields.Length];
    private readonly List<ConfigField> _fields = [];
    private readonly List<object> _values = [];
    private HashSet<string>? _mapKeys;

    public ConfigMessage Type => type;

    /// <summary>Notes that the field is about to be set; the reason why it may not be, or null.</summary>
    public string? Claim(ConfigField field)
    {
        if (field.IsRepeated)
        {
            return null;
        }

        if (_isSet[field.Index])
        {
            return $"'{field.Name}' is set twice";
        }

        _isSet[field.Index] = true;
        var rival = Array.Find(type.Fields, other => _isSet[other.Index] && other.Excludes(field));
        return rival is null ? null : $"'{field.Name}' and '{rival.Name}' exclude each other, only one of them can be set";
    }

    /// <summary>Sets the field, or adds to it; the reason why it cannot be, or null. A message's value is the target that it was read into.</summary>
    public string? Store(ConfigField field, object value)
    {
        if (field.IsMap && ((FieldTarget)value).EntryKey() is var key && !(_mapKeys ??= []).Add($"{field.Name} {key}"))
        {
            return $"'{field.Name}' has the key '{key}' twice";
        }

        _fields.Add(field);
        _values.Add(value);
        return null;
    }

    /// <summary>What was stored, in protobuf's wire format.</summary>
    public ByteString ToBytes()
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, BufferLength))
        {
            for (var i = 0; i < _fields.Count; i++)
            {
                Write(output, _fields[i].Number, _values[i]);
            }
        }

        return UnsafeByteOperations.UnsafeWrap(stream.ToArray());
    }

    private object EntryKey()
    {
        var index = _fields.IndexOf(type.Key);
        return index < 0 ? FieldValues.DefaultKey(type.Key) : _values[index];
    }

    // Of a repeated field every value has its tag here: parsers take that as well as packed values.
    private static void Write(CodedOutputStream output, int number, object value)
    {
        switch (value)
        {
            case FieldTarget message:
                output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(message.ToBytes());
                break;
            case string text:
                output.WriteTag(number, WireFormat.WireType.LengthDelimited);
                output.WriteString(text);
                break;
            case bool flag:
                output.WriteTag(number, WireFormat.WireType.Varint);
                output.WriteBool(flag);
                break;
            case float floating:
                output.WriteTag(number, WireFormat.WireType.Fixed32);
                output.WriteFloat(floating);
                break;
            case double floating:
                output.WriteTag(number, WireFormat.WireType.Fixed64);
                output.WriteDouble(floating);
                break;
            case ulong integer:
                output.WriteTag(number, WireFormat.WireType.Varint);
                output.WriteUInt64(integer);
                break;
            default:
                output.WriteTag(number, WireFormat.WireType.Varint);
                output.WriteInt64((long)value);
                break;
        }
    }
}
