using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Runtime.Models.Configuration;

/// <summary>A message that is being read, or an entry of a map (no message then), and which of its fields were set.</summary>
internal sealed class FieldTarget(MessageDescriptor descriptor, IMessage? message)
{
    private readonly Dictionary<int, object?> _seen = [];

    public MessageDescriptor Descriptor => descriptor;

    /// <summary>Notes that the field is about to be set; the reason why it may not be, or null.</summary>
    public string? Claim(FieldDescriptor field)
    {
        if (field.IsRepeated)
        {
            return null;
        }

        if (!_seen.TryAdd(field.FieldNumber, null))
        {
            return $"'{field.Name}' is set twice";
        }

        var rival = field.RealContainingOneof?.Fields.FirstOrDefault(other => other != field && _seen.ContainsKey(other.FieldNumber));
        return rival is null ? null : $"'{field.Name}' and '{rival.Name}' exclude each other, only one of them can be set";
    }

    /// <summary>Sets the field, or adds to it; the reason why it cannot be, or null.</summary>
    public string? Store(FieldDescriptor field, object value)
    {
        if (message is null)
        {
            _seen[field.FieldNumber] = value;
            return null;
        }

        switch (field.IsMap, field.IsRepeated)
        {
            case (true, _):
                var entry = (KeyValuePair<object, object>)value;
                var map = (IDictionary)field.Accessor.GetValue(message);
                if (map.Contains(entry.Key))
                {
                    return $"'{field.Name}' has the key '{entry.Key}' twice";
                }

                map.Add(entry.Key, entry.Value);
                return null;
            case (_, true):
                ((IList)field.Accessor.GetValue(message)).Add(value);
                return null;
            default:
                field.Accessor.SetValue(message, value);
                return null;
        }
    }

    /// <summary>The key and the value of a map's entry.</summary>
    public KeyValuePair<object, object> Entry()
    {
        object Part(int number) => _seen.GetValueOrDefault(number) ?? FieldValues.Default(descriptor.FindFieldByNumber(number));
        return new(Part(1), Part(2));
    }
}
