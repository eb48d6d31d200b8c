using Runtime.Host.Options;
using Runtime.Models;

namespace Runtime.Host.Metrics;

/// <summary>How latencies, waits and batches are spread: our own histograms always, Triton's summaries and histogram where they are asked for.</summary>
internal static class LatencyMetrics
{
    public static void Write(PrometheusText text, IReadOnlyList<ModelSample> samples, MetricsFlags flags)
    {
        Write(text, samples, "runtime_inference_request_duration_seconds"u8, "Duration of answered requests, cached ones included"u8, s => s.RequestSeconds);
        Write(text, samples, "runtime_inference_queue_duration_seconds"u8, "Time that answered requests waited in the queue, cached ones included"u8, s => s.QueueSeconds);
        Write(text, samples, "runtime_inference_batch_size"u8, "Rows of each execution"u8, s => s.BatchRows);
        if (flags.Histograms)
        {
            Write(text, samples, "nv_inference_first_response_histogram_ms"u8, "Duration from request to first response in milliseconds"u8, s => s.FirstResponseMilliseconds);
        }

        if (flags.Summaries)
        {
            WriteSummary(text, samples, SummaryStage.Request, flags);
            WriteSummary(text, samples, SummaryStage.Queue, flags);
            WriteSummary(text, samples, SummaryStage.ComputeInput, flags);
            WriteSummary(text, samples, SummaryStage.ComputeInfer, flags);
            WriteSummary(text, samples, SummaryStage.ComputeOutput, flags);
        }
    }

    private static void Write(
        PrometheusText text, IReadOnlyList<ModelSample> samples, ReadOnlySpan<byte> name, ReadOnlySpan<byte> help, Func<ModelStatisticsSnapshot, BucketSnapshot?> buckets)
    {
        text.Begin(name, "histogram"u8, help);
        foreach (var sample in samples)
        {
            if (buckets(sample.Statistics) is { } counts)
            {
                text.Histogram(name, sample.Model, sample.Version, counts);
            }
        }
    }

    private static void WriteSummary(PrometheusText text, IReadOnlyList<ModelSample> samples, SummaryStage stage, MetricsFlags flags)
    {
        var name = NameOf(stage);
        text.Begin(name, "summary"u8, HelpOf(stage));
        foreach (var sample in samples)
        {
            if (sample.Summaries is { } summaries)
            {
                text.Summary(name, sample.Model, sample.Version, summaries[(int)stage], flags.Quantiles);
            }
        }
    }

    private static ReadOnlySpan<byte> NameOf(SummaryStage stage) => stage switch
    {
        SummaryStage.Request => "nv_inference_request_summary_us"u8,
        SummaryStage.Queue => "nv_inference_queue_summary_us"u8,
        SummaryStage.ComputeInput => "nv_inference_compute_input_summary_us"u8,
        SummaryStage.ComputeInfer => "nv_inference_compute_infer_summary_us"u8,
        _ => "nv_inference_compute_output_summary_us"u8,
    };

    private static ReadOnlySpan<byte> HelpOf(SummaryStage stage) => stage switch
    {
        SummaryStage.Request => "Summary of inference request duration in microseconds (includes cached requests)"u8,
        SummaryStage.Queue => "Summary of inference queuing duration in microseconds (includes cached requests)"u8,
        SummaryStage.ComputeInput => "Summary of compute input duration in microseconds (does not include cached requests)"u8,
        SummaryStage.ComputeInfer => "Summary of compute inference duration in microseconds (does not include cached requests)"u8,
        _ => "Summary of inference compute output duration in microseconds (does not include cached requests)"u8,
    };
}
