using Google.Protobuf;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Settings;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Protocol;

namespace Runtime.Host.Grpc;

/// <summary>The whole of <c>inference.GRPCInferenceService</c>, method by method.</summary>
internal sealed class InferenceService
{
    public const string Name = "inference.GRPCInferenceService";

    public InferenceService(ModelRepository models, Admission admission, string serverId, SharedMemoryRegions regions, (TraceSettings Trace, LogSettings Log) settings)
    {
        var state = admission.State;
        var model = new ModelMethods(models);
        var repository = new RepositoryMethods(models);
        var memory = new SharedMemoryMethods(regions);
        var setting = new SettingsMethods(settings.Trace, settings.Log, models);
        var infer = new InferCalls(models.TryAcquire, regions, admission);
        Methods =
        [
            Sync<ServerLiveRequest, ServerLiveResponse>("ServerLive", ApiGroup.Health, ServerLiveRequest.Parser, _ => new ServerLiveResponse { Live = state.IsLive }),
            Sync<ServerReadyRequest, ServerReadyResponse>("ServerReady", ApiGroup.Health, ServerReadyRequest.Parser, _ => new ServerReadyResponse { Ready = state.IsReady }),
            Sync<ModelReadyRequest, ModelReadyResponse>("ModelReady", ApiGroup.Health, ModelReadyRequest.Parser, model.Ready),
            Sync("ServerMetadata", ApiGroup.Metadata, ServerMetadataRequest.Parser, _ => Metadata(serverId)),
            Sync<ModelMetadataRequest, ModelMetadataResponse>("ModelMetadata", ApiGroup.Metadata, ModelMetadataRequest.Parser, model.Metadata),
            new ModelInferMethod(infer),
            new ModelStreamInferMethod(infer),
            Sync<ModelConfigRequest, ModelConfigResponse>("ModelConfig", ApiGroup.ModelConfig, ModelConfigRequest.Parser, model.Configuration),
            Sync<ModelStatisticsRequest, ModelStatisticsResponse>("ModelStatistics", ApiGroup.Statistics, ModelStatisticsRequest.Parser, model.Statistics),
            Sync<RepositoryIndexRequest, RepositoryIndexResponse>("RepositoryIndex", ApiGroup.ModelRepository, RepositoryIndexRequest.Parser, repository.Index),
            Async("RepositoryModelLoad", ApiGroup.ModelRepository, RepositoryModelLoadRequest.Parser, repository.LoadAsync),
            Async("RepositoryModelUnload", ApiGroup.ModelRepository, RepositoryModelUnloadRequest.Parser, repository.UnloadAsync),
            .. memory.Methods,
            Sync<TraceSettingRequest, TraceSettingResponse>("TraceSetting", ApiGroup.Trace, TraceSettingRequest.Parser, setting.Trace),
            Sync<LogSettingsRequest, LogSettingsResponse>("LogSettings", ApiGroup.Logging, LogSettingsRequest.Parser, setting.Log),
        ];
    }

    public IReadOnlyList<GrpcMethod> Methods { get; }

    internal static GrpcMethod Sync<TRequest, TResponse>(string name, ApiGroup group, MessageParser<TRequest> parser, Func<TRequest, Reply<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage
        => new UnaryMethod<TRequest, TResponse>((Name, name, group), parser, (request, _) => ValueTask.FromResult(handler(request)));

    private static UnaryMethod<TRequest, TResponse> Async<TRequest, TResponse>(
        string name, ApiGroup group, MessageParser<TRequest> parser, Func<TRequest, CancellationToken, Task<Reply<TResponse>>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage
        => new((Name, name, group), parser, async (request, call) => await handler(request, call.Cancellation));

    private static Reply<ServerMetadataResponse> Metadata(string serverId)
        => new ServerMetadataResponse { Name = serverId, Version = MetadataEndpoints.Version, Extensions = { MetadataEndpoints.Extensions } };
}
