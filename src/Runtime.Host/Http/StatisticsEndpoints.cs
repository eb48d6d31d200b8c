using System.Globalization;
using System.Text.Json;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>GET <c>/v2/models/stats</c> and <c>/v2/models/{model}[/versions/{version}]/stats</c>.</summary>
internal sealed class StatisticsEndpoints(ModelRepository models)
{
    /// <summary>Answers for all models, or for those of that name and version.</summary>
    public Task HandleAsync(HttpContext context, string model, string version)
    {
        var error = models.TryList(model, version, out var found);
        return error is null ? JsonResponse.WriteAsync(context, found, WriteAll) : HttpErrors.WriteAsync(context, error);
    }

    internal static void WriteModel(Utf8JsonWriter writer, string name, long version, ModelStatisticsSnapshot statistics)
    {
        writer.WriteStartObject();
        writer.WriteString("name", name);
        writer.WriteString("version", version.ToString(CultureInfo.InvariantCulture));
        writer.WriteNumber("last_inference", statistics.LastInferenceMilliseconds);
        writer.WriteNumber("inference_count", statistics.InferenceCount);
        writer.WriteNumber("execution_count", statistics.ExecutionCount);
        writer.WriteStartObject("inference_stats");
        WriteDuration(writer, "success", statistics.Success);
        WriteDuration(writer, "fail", statistics.Fail);
        WriteDuration(writer, "queue", statistics.Queue);
        WriteDuration(writer, "compute_input", statistics.ComputeInput);
        WriteDuration(writer, "compute_infer", statistics.ComputeInfer);
        WriteDuration(writer, "compute_output", statistics.ComputeOutput);
        WriteDuration(writer, "cache_hit", statistics.CacheHit);
        WriteDuration(writer, "cache_miss", statistics.CacheMiss);
        writer.WriteEndObject();
        WriteResponses(writer, statistics.Responses);
        WriteBatches(writer, statistics.Batches);
        writer.WriteStartArray("memory_usage");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteAll(Utf8JsonWriter writer, IReadOnlyList<Model> models)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("model_stats");
        foreach (var model in models)
        {
            WriteModel(writer, model.Name, model.Version, model.Statistics.Snapshot());
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteResponses(Utf8JsonWriter writer, IReadOnlyList<ResponseStatistics> responses)
    {
        writer.WriteStartObject("response_stats");
        foreach (var response in responses)
        {
            writer.WriteStartObject(response.Key);
            WriteDuration(writer, "compute_infer", response.ComputeInfer);
            WriteDuration(writer, "compute_output", response.ComputeOutput);
            WriteDuration(writer, "success", response.Success);
            WriteDuration(writer, "fail", response.Fail);
            WriteDuration(writer, "empty_response", response.Empty);
            WriteDuration(writer, "cancel", response.Cancel);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteBatches(Utf8JsonWriter writer, IReadOnlyList<BatchStatistics> batches)
    {
        writer.WriteStartArray("batch_stats");
        foreach (var batch in batches)
        {
            writer.WriteStartObject();
            writer.WriteNumber("batch_size", batch.BatchSize);
            WriteDuration(writer, "compute_input", batch.ComputeInput);
            WriteDuration(writer, "compute_infer", batch.ComputeInfer);
            WriteDuration(writer, "compute_output", batch.ComputeOutput);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteDuration(Utf8JsonWriter writer, string name, StatisticDuration duration)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("count", duration.Count);
        writer.WriteNumber("ns", duration.Nanoseconds);
        writer.WriteEndObject();
    }
}
