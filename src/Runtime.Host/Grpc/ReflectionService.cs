using Google.Protobuf.Reflection;
using Runtime.Protocol;
using Runtime.Protocol.Health;
using Runtime.Protocol.Reflection.V1;
using Request = Runtime.Protocol.Reflection.V1.ServerReflectionRequest;
using Response = Runtime.Protocol.Reflection.V1.ServerReflectionResponse;

namespace Runtime.Host.Grpc;

/// <summary>Server reflection, so that tools such as grpcurl need no .proto files. v1 and v1alpha are the same on the wire.</summary>
internal sealed class ReflectionService
{
    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly Dictionary<string, FileDescriptor> _symbols = [];
    private readonly HashSet<string> _messages = [];
    private readonly string[] _services;

    public ReflectionService()
    {
        FileDescriptor[] roots = [GrpcServiceReflection.Descriptor, HealthReflection.Descriptor, ReflectionV1Reflection.Descriptor, Protocol.Reflection.V1Alpha.ReflectionV1AlphaReflection.Descriptor];
        foreach (var root in roots)
        {
            AddFile(root);
        }

        _services = [.. roots.SelectMany(root => root.Services).Select(service => service.FullName)];
    }

    public IReadOnlyList<GrpcMethod> Methods => [Method("grpc.reflection.v1.ServerReflection"), Method("grpc.reflection.v1alpha.ServerReflection")];

    private ConversationMethod<Request, Response> Method(string service) => new((service, "ServerReflectionInfo", null), Request.Parser, Answer);

    private Response Answer(Request request)
    {
        var response = new Response { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case Request.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse { Service = { _services.Select(name => new ServiceResponse { Name = name }) } };
                break;
            case Request.MessageRequestOneofCase.FileByFilename:
                AnswerFile(response, _files.GetValueOrDefault(request.FileByFilename), $"there is no file '{request.FileByFilename}'");
                break;
            case Request.MessageRequestOneofCase.FileContainingSymbol:
                AnswerFile(response, _symbols.GetValueOrDefault(request.FileContainingSymbol), $"there is no symbol '{request.FileContainingSymbol}'");
                break;
            case Request.MessageRequestOneofCase.AllExtensionNumbersOfType when _messages.Contains(request.AllExtensionNumbersOfType):
                response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = request.AllExtensionNumbersOfType };
                break;
            case Request.MessageRequestOneofCase.AllExtensionNumbersOfType:
                response.ErrorResponse = Error(GrpcStatusCode.NotFound, $"there is no message '{request.AllExtensionNumbersOfType}'");
                break;
            case Request.MessageRequestOneofCase.FileContainingExtension:
                response.ErrorResponse = Error(GrpcStatusCode.NotFound, "there are no extensions");
                break;
            default:
                response.ErrorResponse = Error(GrpcStatusCode.InvalidArgument, "the request asks for nothing");
                break;
        }

        return response;
    }

    /// <summary>A file and all that it imports, itself first.</summary>
    private static void AnswerFile(Response response, FileDescriptor? file, string error)
    {
        if (file is null)
        {
            response.ErrorResponse = Error(GrpcStatusCode.NotFound, error);
            return;
        }

        var files = new List<FileDescriptor>();
        Collect(file, files);
        response.FileDescriptorResponse = new FileDescriptorResponse { FileDescriptorProto = { files.Select(known => known.SerializedData) } };
    }

    private static void Collect(FileDescriptor file, List<FileDescriptor> files)
    {
        if (!files.Contains(file))
        {
            files.Add(file);
            foreach (var import in file.Dependencies)
            {
                Collect(import, files);
            }
        }
    }

    private static ErrorResponse Error(GrpcStatusCode code, string message) => new() { ErrorCode = (int)code, ErrorMessage = message };

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
