using Google.Protobuf;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Protocol;

namespace Runtime.Host.Grpc;

/// <summary>What the server says about itself.</summary>
internal sealed record ServerIdentity(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>The whole of <c>inference.GRPCInferenceService</c>, method by method.</summary>
internal sealed class InferenceService
{
    public const string Name = "inference.GRPCInferenceService";

    public InferenceService(ModelRepository models, ServerState state, ServerIdentity identity, SharedMemoryRegions regions, (TraceSettings Trace, LogSettings Log) settings)
    {
        var model = new ModelMethods(models);
        var repository = new RepositoryMethods(models);
        var memory = new SharedMemoryMethods(regions);
        var setting = new SettingsMethods(settings.Trace, settings.Log, models);
        var infer = new InferCalls(models.TryAcquire, regions);
        Methods =
        [
            Sync("ServerLive", "health", ServerLiveRequest.Parser, _ => new ServerLiveResponse { Live = state.IsLive }),
            Sync("ServerReady", "health", ServerReadyRequest.Parser, _ => new ServerReadyResponse { Ready = state.IsReady }),
            Sync<ModelReadyRequest, ModelReadyResponse>("ModelReady", "health", ModelReadyRequest.Parser, model.Ready),
            Sync("ServerMetadata", "metadata", ServerMetadataRequest.Parser, _ => Metadata(identity)),
            Sync<ModelMetadataRequest, ModelMetadataResponse>("ModelMetadata", "metadata", ModelMetadataRequest.Parser, model.Metadata),
            new ModelInferMethod(infer),
            new ModelStreamInferMethod(infer),
            Sync<ModelConfigRequest, ModelConfigResponse>("ModelConfig", "model-config", ModelConfigRequest.Parser, model.Configuration),
            Sync<ModelStatisticsRequest, ModelStatisticsResponse>("ModelStatistics", "statistics", ModelStatisticsRequest.Parser, model.Statistics),
            Sync<RepositoryIndexRequest, RepositoryIndexResponse>("RepositoryIndex", "model-repository", RepositoryIndexRequest.Parser, repository.Index),
            Async("RepositoryModelLoad", "model-repository", RepositoryModelLoadRequest.Parser, repository.LoadAsync),
            Async("RepositoryModelUnload", "model-repository", RepositoryModelUnloadRequest.Parser, repository.UnloadAsync),
            .. memory.Methods,
            Sync<TraceSettingRequest, TraceSettingResponse>("TraceSetting", "trace", TraceSettingRequest.Parser, setting.Trace),
            Sync<LogSettingsRequest, LogSettingsResponse>("LogSettings", "logging", LogSettingsRequest.Parser, setting.Log),
        ];
    }

    public IReadOnlyList<GrpcMethod> Methods { get; }

    internal static GrpcMethod Sync<TRequest, TResponse>(string name, string group, MessageParser<TRequest> parser, Func<TRequest, Reply<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage
        => new UnaryMethod<TRequest, TResponse>((Name, name, group), parser, (request, _) => ValueTask.FromResult(handler(request)));

    private static UnaryMethod<TRequest, TResponse> Async<TRequest, TResponse>(
        string name, string group, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<Reply<TResponse>>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage
        => new((Name, name, group), parser, async (request, call) => await handler(request, call.Cancellation));

    private static Reply<ServerMetadataResponse> Metadata(ServerIdentity identity)
        => new ServerMetadataResponse { Name = identity.Name, Version = identity.Version, Extensions = { identity.Extensions } };
}
