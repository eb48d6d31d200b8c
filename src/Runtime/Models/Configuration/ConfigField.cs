using Google.Protobuf.Reflection;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Runtime.Models.Configuration;

/// <summary>A field of a <see cref="ConfigMessage"/>; its index is its place among that message's fields.</summary>
internal sealed class ConfigField(FieldDescriptorProto declaration, int index, ConfigSchema schema)
{
    public string Name => declaration.Name;

    /// <summary>The name in lower camel case, which protobuf's JSON takes as well.</summary>
    public string JsonName => declaration.JsonName;

    public int Number => declaration.Number;

    public int Index => index;

    public FieldType Type => declaration.Type;

    /// <summary>Whether the field takes any number of values, which a map's entries are too.</summary>
    public bool IsRepeated => declaration.Label == FieldDescriptorProto.Types.Label.Repeated;

    public bool IsMap => Type == FieldType.Message && Message.IsMapEntry;

    /// <summary>The type of a field that takes messages.</summary>
    public ConfigMessage Message => schema.Message(declaration.TypeName);

    /// <summary>The type of a field that takes an enum's values.</summary>
    public EnumDescriptorProto Enum => schema.Enum(declaration.TypeName);

    private int Oneof => declaration is { HasOneofIndex: true, Proto3Optional: false } ? declaration.OneofIndex : -1;

    /// <summary>Whether this field and the other are choices of one oneof.</summary>
    public bool Excludes(ConfigField other) => other != this && Oneof >= 0 && Oneof == other.Oneof;
}
