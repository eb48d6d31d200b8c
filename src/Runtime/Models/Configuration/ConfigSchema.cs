using Google.Protobuf.Reflection;

namespace Runtime.Models.Configuration;

/// <summary>The messages of a model's configuration, as their protocol file declares them. Thread-safe.</summary>
/// <remarks>Google.Protobuf's own descriptors say the same, but making them took a tenth of the host's start.</remarks>
internal sealed class ConfigSchema
{
    private const string ResourceName = "model_config.binpb";

    private readonly Dictionary<string, ConfigMessage> _messages = [];
    private readonly Dictionary<string, EnumDescriptorProto> _enums = [];

    private ConfigSchema(FileDescriptorProto file)
    {
        var scope = "." + file.Package;
        foreach (var declaration in file.EnumType)
        {
            _enums.Add($"{scope}.{declaration.Name}", declaration);
        }

        foreach (var declaration in file.MessageType)
        {
            Add(scope, declaration);
        }
    }

    /// <summary>The whole configuration.</summary>
    public static ConfigMessage ModelConfig { get; } = Load().Message(".inference.ModelConfig");

    /// <summary>The message of a full name, which begins with a dot.</summary>
    public ConfigMessage Message(string fullName) => _messages[fullName];

    /// <summary>The enum of a full name, which begins with a dot.</summary>
    public EnumDescriptorProto Enum(string fullName) => _enums[fullName];

    private static ConfigSchema Load()
    {
        using var stream = typeof(ConfigSchema).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the assembly lacks its resource {ResourceName}");
        return new(FileDescriptorSet.Parser.ParseFrom(stream).File[0]);
    }

    private void Add(string scope, DescriptorProto message)
    {
        var fullName = $"{scope}.{message.Name}";
        _messages.Add(fullName, new ConfigMessage(message, this));
        foreach (var declaration in message.EnumType)
        {
            _enums.Add($"{fullName}.{declaration.Name}", declaration);
        }

        foreach (var nested in message.NestedType)
        {
            Add(fullName, nested);
        }
    }
}
