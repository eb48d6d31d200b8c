using Google.Protobuf.Reflection;
using Runtime.Protocol.Reflection.V1;
using Request = Runtime.Protocol.Reflection.V1.ServerReflectionRequest;
using Response = Runtime.Protocol.Reflection.V1.ServerReflectionResponse;

namespace Runtime.Host.Grpc;

/// <summary>Server reflection, so that tools such as grpcurl need no .proto files. v1 and v1alpha are the same on the wire.</summary>
/// <param name="draining">Ends streams that wait for their client's next question.</param>
internal sealed class ReflectionService(CancellationToken draining)
{
    /// <summary>Made when first asked for: building every descriptor takes tens of milliseconds, which a start does not have.</summary>
    private readonly Lazy<DescriptorIndex> _index = new(() => new DescriptorIndex());

    public IReadOnlyList<GrpcMethod> Methods => [Method("grpc.reflection.v1.ServerReflection"), Method("grpc.reflection.v1alpha.ServerReflection")];

    private ConversationMethod<Request, Response> Method(string service) => new((service, "ServerReflectionInfo", null), Request.Parser, Answer, draining);

    private Response Answer(Request request)
    {
        var response = new Response { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case Request.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse { Service = { _index.Value.Services.Select(name => new ServiceResponse { Name = name }) } };
                break;
            case Request.MessageRequestOneofCase.FileByFilename:
                AnswerFile(response, _index.Value.File(request.FileByFilename), $"there is no file '{request.FileByFilename}'");
                break;
            case Request.MessageRequestOneofCase.FileContainingSymbol:
                AnswerFile(response, _index.Value.FileOfSymbol(request.FileContainingSymbol), $"there is no symbol '{request.FileContainingSymbol}'");
                break;
            case Request.MessageRequestOneofCase.AllExtensionNumbersOfType when _index.Value.IsMessage(request.AllExtensionNumbersOfType):
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
}
