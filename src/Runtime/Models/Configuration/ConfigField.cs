using Google.Protobuf;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;
using Label = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Label;

namespace Runtime.Models.Configuration;

/// <summary>A field of a <see cref="ConfigMessage"/>; its index is its place among that message's fields.</summary>
internal sealed class ConfigField
{
    private readonly ConfigSchema _schema;
    private readonly string _typeName = "";
    private readonly int? _oneof;

    /// <summary>Reads a <c>FieldDescriptorProto</c>.</summary>
    public ConfigField(CodedInputStream declaration, int index, ConfigSchema schema)
    {
        Index = index;
        _schema = schema;
        for (var tag = declaration.ReadTag(); tag != 0; tag = declaration.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    Name = declaration.ReadString();
                    break;
                case 3:
                    Number = declaration.ReadInt32();
                    break;
                case 4:
                    IsRepeated = declaration.ReadEnum() == (int)Label.Repeated;
                    break;
                case 5:
                    Type = (FieldType)declaration.ReadEnum();
                    break;
                case 6:
                    _typeName = declaration.ReadString();
                    break;
                case 9:
                    _oneof = declaration.ReadInt32();
                    break;
                case 10:
                    JsonName = declaration.ReadString();
                    break;
                default:
                    declaration.SkipLastField();
                    break;
            }
        }
    }

    public string Name { get; } = "";

    /// <summary>The name in lower camel case, which protobuf's JSON takes as well.</summary>
    public string JsonName { get; } = "";

    public int Number { get; }

    public int Index { get; }

    public FieldType Type { get; }

    /// <summary>Whether the field takes any number of values, which a map's entries are too.</summary>
    public bool IsRepeated { get; }

    public bool IsMap => Type == FieldType.Message && Message.IsMapEntry;

    /// <summary>The type of a field that takes messages.</summary>
    public ConfigMessage Message => _schema.Message(_typeName);

    /// <summary>The type of a field that takes an enum's values.</summary>
    public ConfigEnum Enum => _schema.Enum(_typeName);

    /// <summary>Whether this field and the other are choices of one oneof.</summary>
    public bool Excludes(ConfigField other) => other != this && _oneof is not null && _oneof == other._oneof;
}
