using Google.Protobuf;

namespace Runtime.Models.Configuration;

/// <summary>An enum of <see cref="ConfigSchema"/>: the values that are declared, in their order.</summary>
internal sealed class ConfigEnum
{
    private readonly List<string> _names = [];
    private readonly List<int> _numbers = [];

    /// <summary>Reads an <c>EnumDescriptorProto</c>.</summary>
    public ConfigEnum(CodedInputStream declaration)
    {
        for (var tag = declaration.ReadTag(); tag != 0; tag = declaration.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    Name = declaration.ReadString();
                    break;
                case 2:
                    ReadValue(declaration.ReadBytes().CreateCodedInput());
                    break;
                default:
                    declaration.SkipLastField();
                    break;
            }
        }
    }

    /// <summary>The name without those of the messages around it.</summary>
    public string Name { get; } = "";

    public IReadOnlyList<string> Names => _names;

    /// <summary>The number of the value of that name; null when there is none.</summary>
    public int? Find(string name) => _names.IndexOf(name) is >= 0 and var index ? _numbers[index] : null;

    public bool Has(decimal number) => number >= int.MinValue && number <= int.MaxValue && _numbers.Contains((int)number);

    private void ReadValue(CodedInputStream value)
    {
        var (name, number) = ("", 0);
        for (var tag = value.ReadTag(); tag != 0; tag = value.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    name = value.ReadString();
                    break;
                case 2:
                    number = value.ReadInt32();
                    break;
                default:
                    value.SkipLastField();
                    break;
            }
        }

        _names.Add(name);
        _numbers.Add(number);
    }
}
