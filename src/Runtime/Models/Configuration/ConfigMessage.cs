using Google.Protobuf;

namespace Runtime.Models.Configuration;

/// <summary>A message of <see cref="ConfigSchema"/>, or an entry of one of its maps: a key numbered 1 and a value numbered 2.</summary>
internal sealed class ConfigMessage
{
    /// <summary>Reads a <c>DescriptorProto</c>.</summary>
    public ConfigMessage(CodedInputStream declaration, ConfigSchema schema)
    {
        var fields = new List<ConfigField>();
        for (var tag = declaration.ReadTag(); tag != 0; tag = declaration.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    Name = declaration.ReadString();
                    break;
                case 2:
                    fields.Add(new ConfigField(declaration.ReadBytes().CreateCodedInput(), fields.Count, schema));
                    break;
                case 3:
                    NestedMessages.Add(new ConfigMessage(declaration.ReadBytes().CreateCodedInput(), schema));
                    break;
                case 4:
                    NestedEnums.Add(new ConfigEnum(declaration.ReadBytes().CreateCodedInput()));
                    break;
                case 7:
                    IsMapEntry = ReadIsMapEntry(declaration.ReadBytes().CreateCodedInput());
                    break;
                default:
                    declaration.SkipLastField();
                    break;
            }
        }

        Fields = [.. fields];
    }

    /// <summary>The name without those of the messages around it.</summary>
    public string Name { get; } = "";

    public bool IsMapEntry { get; }

    /// <summary>The fields in the order in which they are declared.</summary>
    public ConfigField[] Fields { get; }

    public List<ConfigMessage> NestedMessages { get; } = [];

    public List<ConfigEnum> NestedEnums { get; } = [];

    public ConfigField Key => Fields[0];

    public ConfigField Value => Fields[1];

    public ConfigField? Find(string name) => Array.Find(Fields, field => field.Name == name);

    private static bool ReadIsMapEntry(CodedInputStream options)
    {
        var isMapEntry = false;
        for (var tag = options.ReadTag(); tag != 0; tag = options.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == 7)
            {
                isMapEntry = options.ReadBool();
            }
            else
            {
                options.SkipLastField();
            }
        }

        return isMapEntry;
    }
}
