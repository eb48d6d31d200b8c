using Runtime.Host.Options;
using Runtime.Models;

namespace Runtime.Host.Metrics;

/// <summary>One version of a model, at one moment.</summary>
internal readonly record struct ModelSample(string Model, long Version, ModelStatisticsSnapshot Statistics, IReadOnlyList<SummarySnapshot>? Summaries = null);

/// <summary>The metrics of models, by Triton's names, in its units.</summary>
internal static class ModelMetrics
{
    private static readonly FailureReason[] Reasons = Enum.GetValues<FailureReason>();

    public static void Write(PrometheusText text, IReadOnlyList<ModelSample> samples, MetricsFlags flags)
    {
        Write(text, samples, "nv_inference_request_success"u8, "Number of successful inference requests, all batch sizes"u8, Counter, s => s.Success.Count);
        WriteFailures(text, samples);
        Write(text, samples, "nv_inference_count"u8, "Number of inferences performed (does not include cached requests)"u8, Counter, s => s.InferenceCount);
        Write(text, samples, "nv_inference_exec_count"u8, "Number of model executions performed (does not include cached requests)"u8, Counter, s => s.ExecutionCount);
        if (flags.Counters)
        {
            WriteDurations(text, samples);
        }

        Write(text, samples, "input_byte_size_counter"u8, "Cumulative input byte size of all requests received by the model"u8, Counter, s => s.InputBytes);
        Write(text, samples, "nv_inference_pending_request_count"u8, "Instantaneous number of pending requests awaiting execution per-model."u8, Gauge, s => s.Pending);
        WriteLoadDurations(text, samples);
        WriteCache(text, [.. samples.Where(sample => sample.Statistics.IsCached)]);
    }

    private static void WriteDurations(PrometheusText text, IReadOnlyList<ModelSample> samples)
    {
        Write(text, samples, "nv_inference_request_duration_us"u8, "Cumulative inference request duration in microseconds (includes cached requests)"u8, Counter, s => Microseconds(s.Success));
        Write(text, samples, "nv_inference_queue_duration_us"u8, "Cumulative inference queuing duration in microseconds (includes cached requests)"u8, Counter, s => Microseconds(s.Queue));
        Write(text, samples, "nv_inference_compute_input_duration_us"u8, "Cumulative compute input duration in microseconds (does not include cached requests)"u8, Counter, s => Microseconds(s.ComputeInput));
        Write(text, samples, "nv_inference_compute_infer_duration_us"u8, "Cumulative compute inference duration in microseconds (does not include cached requests)"u8, Counter, s => Microseconds(s.ComputeInfer));
        Write(text, samples, "nv_inference_compute_output_duration_us"u8, "Cumulative inference compute output duration in microseconds (does not include cached requests)"u8, Counter, s => Microseconds(s.ComputeOutput));
    }

    private static void WriteCache(PrometheusText text, IReadOnlyList<ModelSample> samples)
    {
        Write(text, samples, "nv_cache_num_hits_per_model"u8, "Number of cache hits per model"u8, Counter, s => s.CacheHit.Count);
        Write(text, samples, "nv_cache_num_misses_per_model"u8, "Number of cache misses per model"u8, Counter, s => s.CacheMiss.Count);
        Write(text, samples, "nv_cache_hit_duration_per_model"u8, "Total cache hit duration per model, in microseconds"u8, Counter, s => Microseconds(s.CacheHit));
        Write(text, samples, "nv_cache_miss_duration_per_model"u8, "Total cache miss duration per model, in microseconds"u8, Counter, s => Microseconds(s.CacheMiss));
    }

    private static void WriteLoadDurations(PrometheusText text, IReadOnlyList<ModelSample> samples)
    {
        var name = "nv_model_load_duration_secs"u8;
        text.Begin(name, Gauge, "Model load time in seconds"u8);
        foreach (var sample in samples)
        {
            text.Sample(name, sample.Model, sample.Version, sample.Statistics.LoadDuration.TotalSeconds);
        }
    }

    private static ReadOnlySpan<byte> Counter => "counter"u8;

    private static ReadOnlySpan<byte> Gauge => "gauge"u8;

    private static long Microseconds(StatisticDuration duration) => duration.Nanoseconds / 1000;

    private static void Write(
        PrometheusText text, IReadOnlyList<ModelSample> samples, ReadOnlySpan<byte> name, ReadOnlySpan<byte> help, ReadOnlySpan<byte> type, Func<ModelStatisticsSnapshot, long> value)
    {
        text.Begin(name, type, help);
        foreach (var sample in samples)
        {
            text.Sample(name, sample.Model, sample.Version, default, value(sample.Statistics));
        }
    }

    private static void WriteFailures(PrometheusText text, IReadOnlyList<ModelSample> samples)
    {
        var name = "nv_inference_request_failure"u8;
        text.Begin(name, Counter, "Number of failed inference requests, all batch sizes"u8);
        foreach (var sample in samples)
        {
            foreach (var reason in Reasons)
            {
                text.Sample(name, sample.Model, sample.Version, Label(reason), sample.Statistics.Failures[(int)reason]);
            }
        }
    }

    private static ReadOnlySpan<byte> Label(FailureReason reason) => reason switch
    {
        FailureReason.Rejected => "REJECTED"u8,
        FailureReason.Canceled => "CANCELED"u8,
        FailureReason.Backend => "BACKEND"u8,
        _ => "OTHER"u8,
    };
}
