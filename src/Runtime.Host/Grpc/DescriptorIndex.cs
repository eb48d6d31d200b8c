using Google.Protobuf.Reflection;
using Runtime.Protocol;
using Runtime.Protocol.Health;
using Runtime.Protocol.Reflection.V1;

namespace Runtime.Host.Grpc;

/// <summary>The .proto files of every service here and of all that they import, by their names and by what they define.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly Dictionary<string, FileDescriptor> _symbols = [];
    private readonly HashSet<string> _messages = [];

    public DescriptorIndex()
    {
        FileDescriptor[] roots = [GrpcServiceReflection.Descriptor, HealthReflection.Descriptor, ReflectionV1Reflection.Descriptor, Protocol.Reflection.V1Alpha.ReflectionV1AlphaReflection.Descriptor];
        foreach (var root in roots)
        {
            AddFile(root);
        }

        Services = [.. roots.SelectMany(root => root.Services).Select(service => service.FullName)];
    }

    public IReadOnlyList<string> Services { get; }

    public FileDescriptor? File(string name) => _files.GetValueOrDefault(name);

    /// <summary>The file that defines a service, a method, a message, a field, an enum or one of its values.</summary>
    public FileDescriptor? FileOfSymbol(string fullName) => _symbols.GetValueOrDefault(fullName);

    public bool IsMessage(string fullName) => _messages.Contains(fullName);

    private void AddFile(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file))
        {
            return;
        }

        foreach (var service in file.Services)
        {
            _symbols[service.FullName] = file;
            foreach (var method in service.Methods)
            {
                _symbols[method.FullName] = file;
            }
        }

        AddEnums(file.EnumTypes, file);
        foreach (var message in file.MessageTypes)
        {
            AddMessage(message, file);
        }

        foreach (var import in file.Dependencies)
        {
            AddFile(import);
        }
    }

    private void AddMessage(MessageDescriptor message, FileDescriptor file)
    {
        _messages.Add(message.FullName);
        _symbols[message.FullName] = file;
        foreach (var field in message.Fields.InDeclarationOrder())
        {
            _symbols[field.FullName] = file;
        }

        AddEnums(message.EnumTypes, file);
        foreach (var nested in message.NestedTypes)
        {
            AddMessage(nested, file);
        }
    }

    private void AddEnums(IList<EnumDescriptor> enums, FileDescriptor file)
    {
        foreach (var type in enums)
        {
            _symbols[type.FullName] = file;
            foreach (var value in type.Values)
            {
                _symbols[value.FullName] = file;
            }
        }
    }
}
