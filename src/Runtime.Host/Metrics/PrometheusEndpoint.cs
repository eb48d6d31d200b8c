using System.Buffers;
using System.Globalization;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Metrics;

/// <summary>The metrics port's only handler: GET of any path gives the metrics of the models that serve now, and of the machine.</summary>
/// <param name="models">The models.</param>
/// <param name="admission">What the process lets in; null for nothing to say of that.</param>
/// <param name="given">Which metrics; null for those of the default.</param>
/// <param name="gpus">The machine's GPUs; null to leave them out.</param>
internal sealed class PrometheusEndpoint(ModelRepository models, Admission? admission = null, MetricsFlags? given = null, GpuMetrics? gpus = null)
{
    private const int InitialSize = 16 * 1024;

    private readonly MetricsFlags _flags = given ?? MetricsFlags.Default;
    private readonly MachineMetrics _machine = new();

    public async Task HandleAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET";
            await HttpErrors.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "Method Not Allowed");
            return;
        }

        IReadOnlyList<GpuReading> readings = gpus is null ? [] : await gpus.ReadAsync();
        models.TryList("", "", out var serving);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        var buffer = new ArrayBufferWriter<byte>(InitialSize);
        var text = new PrometheusText(buffer);
        ModelSample[] samples = [.. serving.Select(model => new ModelSample(model.Name, model.Version, model.Statistics.Snapshot(), model.Statistics.Summaries(_flags.Quantiles)))];
        ModelMetrics.Write(text, samples, _flags);
        LatencyMetrics.Write(text, samples, _flags);
        AdmissionMetrics.Write(text, admission);
        WritePool(text);
        WriteCache(text, models.Cache);
        GpuMetrics.Write(text, readings);
        WriteModelMemory(text, serving);
        _machine.Write(text);
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    /// <summary>A backend is asked for its memory only while a lease keeps it from being unloaded.</summary>
    private void WriteModelMemory(PrometheusText text, IReadOnlyList<Model> serving)
    {
        var name = "runtime_model_gpu_memory_bytes"u8;
        var isDeclared = false;
        foreach (var model in serving.Where(model => model.Config.InstanceDevices.Any(device => device.IsGpu)))
        {
            if (models.TryAcquire(model.Name, model.Version.ToString(CultureInfo.InvariantCulture), out var lease) is not null)
            {
                continue;
            }

            using (lease)
            {
                var bytes = lease.Model.GpuMemoryBytes;
                if (bytes == 0)
                {
                    continue;
                }

                if (!isDeclared)
                {
                    text.Begin(name, "gauge"u8, "GPU memory that the model's sessions hold, in bytes, where the backend can tell"u8);
                    isDeclared = true;
                }

                text.Sample(name, model.Name, model.Version, (double)bytes);
            }
        }
    }

    private static void WriteCache(PrometheusText text, ResponseCache? cache)
    {
        if (cache is null)
        {
            return;
        }

        var (entries, bytes, evictions) = cache.Counts;
        text.Begin("runtime_response_cache_entries"u8, "gauge"u8, "Responses in the response cache"u8);
        text.Sample("runtime_response_cache_entries"u8, entries);
        text.Begin("runtime_response_cache_bytes"u8, "gauge"u8, "Bytes of the response cache in use"u8);
        text.Sample("runtime_response_cache_bytes"u8, bytes);
        text.Begin("runtime_response_cache_capacity_bytes"u8, "gauge"u8, "Bytes that the response cache may use"u8);
        text.Sample("runtime_response_cache_capacity_bytes"u8, cache.CapacityBytes);
        text.Begin("runtime_response_cache_evictions_total"u8, "counter"u8, "Responses that made room for others in the response cache"u8);
        text.Sample("runtime_response_cache_evictions_total"u8, evictions);
    }

    private static void WritePool(PrometheusText text)
    {
        var (lent, kept) = TensorPool.Shared.Bytes;
        text.Begin("nv_pinned_memory_pool_total_bytes"u8, "gauge"u8, "Pinned memory pool total memory size, in bytes"u8);
        text.Sample("nv_pinned_memory_pool_total_bytes"u8, lent + kept);
        text.Begin("nv_pinned_memory_pool_used_bytes"u8, "gauge"u8, "Pinned memory pool used memory size, in bytes"u8);
        text.Sample("nv_pinned_memory_pool_used_bytes"u8, lent);
    }
}
