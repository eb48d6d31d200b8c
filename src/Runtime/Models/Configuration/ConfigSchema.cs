using Google.Protobuf;

namespace Runtime.Models.Configuration;

/// <summary>The messages of a model's configuration, as their protocol file declares them. Thread-safe.</summary>
/// <remarks>
/// Google.Protobuf's own descriptors say the same, but making them took a tenth of the host's start. This reads what protoc wrote
/// of them while building, a <c>FileDescriptorSet</c>; the numbers of its fields are those of protobuf's descriptor.proto.
/// </remarks>
internal sealed class ConfigSchema
{
    private const string ResourceName = "model_config.binpb";

    private readonly Dictionary<string, ConfigMessage> _messages = [];
    private readonly Dictionary<string, ConfigEnum> _enums = [];

    private ConfigSchema(CodedInputStream file)
    {
        var package = "";
        var messages = new List<ConfigMessage>();
        var enums = new List<ConfigEnum>();
        for (var tag = file.ReadTag(); tag != 0; tag = file.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 2:
                    package = file.ReadString();
                    break;
                case 4:
                    messages.Add(new ConfigMessage(file.ReadBytes().CreateCodedInput(), this));
                    break;
                case 5:
                    enums.Add(new ConfigEnum(file.ReadBytes().CreateCodedInput()));
                    break;
                default:
                    file.SkipLastField();
                    break;
            }
        }

        Add("." + package, messages, enums);
    }

    /// <summary>The whole configuration.</summary>
    public static ConfigMessage ModelConfig { get; } = Load().Message(".inference.ModelConfig");

    /// <summary>The message of a full name, which begins with a dot.</summary>
    public ConfigMessage Message(string fullName) => _messages[fullName];

    /// <summary>The enum of a full name, which begins with a dot.</summary>
    public ConfigEnum Enum(string fullName) => _enums[fullName];

    private static ConfigSchema Load()
    {
        using var stream = typeof(ConfigSchema).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the assembly lacks its resource {ResourceName}");
        using var files = new CodedInputStream(stream);
        files.ReadTag(); // of the only file, since this one imports none
        return new(files.ReadBytes().CreateCodedInput());
    }

    private void Add(string scope, List<ConfigMessage> messages, List<ConfigEnum> enums)
    {
        foreach (var declared in enums)
        {
            _enums.Add($"{scope}.{declared.Name}", declared);
        }

        foreach (var message in messages)
        {
            var fullName = $"{scope}.{message.Name}";
            _messages.Add(fullName, message);
            Add(fullName, message.NestedMessages, message.NestedEnums);
        }
    }
}
