using System.Globalization;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Protocol;
using Runtime.Tensors;
using ModelStatistics = Runtime.Protocol.ModelStatistics;
using StatisticDuration = Runtime.Protocol.StatisticDuration;

namespace Runtime.Host.Grpc;

/// <summary>What clients ask about a model: readiness, metadata, configuration, statistics.</summary>
internal sealed class ModelMethods(ModelRepository models)
{
    /// <summary>A model that is not there is not ready, which is no error; a version that is no number is one.</summary>
    public Reply<ModelReadyResponse> Ready(ModelReadyRequest request)
    {
        var isReady = models.IsModelReady(request.Name, request.Version, out var error);
        return error is { Code: ErrorCode.InvalidArgument } ? error : new ModelReadyResponse { Ready = isReady };
    }

    public Reply<ModelMetadataResponse> Metadata(ModelMetadataRequest request)
    {
        if (models.TryAcquire(request.Name, request.Version, out var lease) is { } error)
        {
            return error;
        }

        using (lease)
        {
            var config = lease.Model.Config;
            var versions = request.Version.Length > 0 ? [lease.Model.Version] : models.ReadyVersions(request.Name);
            return new ModelMetadataResponse
            {
                Name = config.Name,
                Versions = { versions.Select(Text) },
                Platform = config.Platform.Length > 0 ? config.Platform : config.Backend,
                Inputs = { config.Inputs.Select(tensor => Describe(tensor, config.IsBatching)) },
                Outputs = { config.Outputs.Select(tensor => Describe(tensor, config.IsBatching)) },
            };
        }
    }

    public Reply<ModelConfigResponse> Configuration(ModelConfigRequest request)
    {
        if (models.TryAcquire(request.Name, request.Version, out var lease) is { } error)
        {
            return error;
        }

        using (lease)
        {
            return new ModelConfigResponse { Config = lease.Model.Config.Message };
        }
    }

    public Reply<ModelStatisticsResponse> Statistics(ModelStatisticsRequest request)
        => models.TryList(request.Name, request.Version, out var found) is { } error
            ? error
            : new ModelStatisticsResponse { ModelStats = { found.Select(model => Describe(model.Name, model.Version, model.Statistics.Snapshot())) } };

    private static string Text(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static ModelMetadataResponse.Types.TensorMetadata Describe(TensorConfig tensor, bool isBatching)
        => new() { Name = tensor.Name, Datatype = tensor.Type.Name(), Shape = { tensor.ClientShape(isBatching) } };

    private static ModelStatistics Describe(string name, long version, ModelStatisticsSnapshot counts)
    {
        var statistics = new ModelStatistics
        {
            Name = name,
            Version = Text(version),
            LastInference = (ulong)counts.LastInferenceMilliseconds,
            InferenceCount = (ulong)counts.InferenceCount,
            ExecutionCount = (ulong)counts.ExecutionCount,
            InferenceStats = new InferStatistics
            {
                Success = Duration(counts.Success),
                Fail = Duration(counts.Fail),
                Queue = Duration(counts.Queue),
                ComputeInput = Duration(counts.ComputeInput),
                ComputeInfer = Duration(counts.ComputeInfer),
                ComputeOutput = Duration(counts.ComputeOutput),
                CacheHit = Duration(counts.CacheHit),
                CacheMiss = Duration(counts.CacheMiss),
            },
            BatchStats = { counts.Batches.Select(Describe) },
        };
        foreach (var response in counts.Responses)
        {
            statistics.ResponseStats.Add(response.Key, Describe(response));
        }

        return statistics;
    }

    private static InferBatchStatistics Describe(BatchStatistics batch) => new()
    {
        BatchSize = (ulong)batch.BatchSize,
        ComputeInput = Duration(batch.ComputeInput),
        ComputeInfer = Duration(batch.ComputeInfer),
        ComputeOutput = Duration(batch.ComputeOutput),
    };

    private static InferResponseStatistics Describe(ResponseStatistics response) => new()
    {
        ComputeInfer = Duration(response.ComputeInfer),
        ComputeOutput = Duration(response.ComputeOutput),
        Success = Duration(response.Success),
        Fail = Duration(response.Fail),
        EmptyResponse = Duration(response.Empty),
        Cancel = Duration(response.Cancel),
    };

    private static StatisticDuration Duration(Models.StatisticDuration duration)
        => new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Nanoseconds };
}
