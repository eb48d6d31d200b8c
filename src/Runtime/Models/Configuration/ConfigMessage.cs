using Google.Protobuf.Reflection;

namespace Runtime.Models.Configuration;

/// <summary>A message of <see cref="ConfigSchema"/>, or an entry of one of its maps: a key numbered 1 and a value numbered 2.</summary>
internal sealed class ConfigMessage
{
    public ConfigMessage(DescriptorProto declaration, ConfigSchema schema)
    {
        Name = declaration.Name;
        IsMapEntry = declaration.Options is { MapEntry: true };
        Fields = new ConfigField[declaration.Field.Count];
        for (var i = 0; i < Fields.Length; i++)
        {
            Fields[i] = new ConfigField(declaration.Field[i], i, schema);
        }
    }

    /// <summary>The name without those of the messages around it.</summary>
    public string Name { get; }

    public bool IsMapEntry { get; }

    /// <summary>The fields in the order in which they are declared.</summary>
    public ConfigField[] Fields { get; }

    public ConfigField Key => Fields[0];

    public ConfigField Value => Fields[1];

    public ConfigField? Find(string name) => Array.Find(Fields, field => field.Name == name);
}
