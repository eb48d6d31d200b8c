using System.Buffers;
using System.Text;
using Runtime.Host.Metrics;
using Runtime.Host.Options;
using Runtime.Models;

namespace Runtime.Host.Tests.Metrics;

public sealed class MetricsTests
{
    private static readonly ModelStatisticsSnapshot Statistics = new()
    {
        LastInferenceMilliseconds = 1,
        InferenceCount = 20,
        ExecutionCount = 7,
        Success = new(10, 12_345_678),
        Fail = new(10, 5),
        Queue = new(10, 1_999),
        ComputeInput = new(10, 3_000),
        ComputeInfer = new(10, 4_000),
        ComputeOutput = new(10, 5_000),
        Failures = [1, 2, 3, 4],
        Pending = 6,
        Batches = [],
        Responses = [],
        InputBytes = 640,
        LoadDuration = TimeSpan.FromMilliseconds(125),
    };

    [Fact]
    public void Write_OneModel_GivesTritonsNamesAndUnits()
    {
        string[] expected =
        [
            "nv_inference_request_success{model=\"m\",version=\"3\"} 10",
            "nv_inference_request_failure{model=\"m\",reason=\"REJECTED\",version=\"3\"} 1",
            "nv_inference_request_failure{model=\"m\",reason=\"CANCELED\",version=\"3\"} 2",
            "nv_inference_request_failure{model=\"m\",reason=\"BACKEND\",version=\"3\"} 3",
            "nv_inference_request_failure{model=\"m\",reason=\"OTHER\",version=\"3\"} 4",
            "nv_inference_count{model=\"m\",version=\"3\"} 20",
            "nv_inference_exec_count{model=\"m\",version=\"3\"} 7",
            "nv_inference_request_duration_us{model=\"m\",version=\"3\"} 12345",
            "nv_inference_queue_duration_us{model=\"m\",version=\"3\"} 1",
            "nv_inference_compute_input_duration_us{model=\"m\",version=\"3\"} 3",
            "nv_inference_compute_infer_duration_us{model=\"m\",version=\"3\"} 4",
            "nv_inference_compute_output_duration_us{model=\"m\",version=\"3\"} 5",
            "input_byte_size_counter{model=\"m\",version=\"3\"} 640",
            "nv_inference_pending_request_count{model=\"m\",version=\"3\"} 6",
            "nv_model_load_duration_secs{model=\"m\",version=\"3\"} 0.125",
        ];

        Assert.Equal(expected, Lines(new ModelSample("m", 3, Statistics)).Where(line => !line.StartsWith('#')));
    }

    [Fact]
    public void Write_SeveralModels_DeclaresEachMetricOnceBeforeItsSamples()
    {
        var lines = Lines(new ModelSample("a", 1, Statistics), new ModelSample("b", 1, Statistics));

        var declared = "";
        foreach (var line in lines)
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                declared = line.Split(' ')[2];
                Assert.Single(lines, other => other.StartsWith($"# HELP {declared} ", StringComparison.Ordinal));
            }
            else if (!line.StartsWith('#'))
            {
                Assert.StartsWith(declared + "{", line, StringComparison.Ordinal);
            }
        }

        Assert.Contains("# TYPE nv_inference_pending_request_count gauge", lines);
        Assert.Contains("# TYPE nv_inference_count counter", lines);
    }

    [Fact]
    public void Write_CountersOff_LeavesOutTheDurations()
    {
        var lines = Lines(text => ModelMetrics.Write(text, [new ModelSample("m", 3, Statistics)], MetricsFlags.Default with { Counters = false }));

        Assert.DoesNotContain(lines, line => line.Contains("duration_us", StringComparison.Ordinal));
        Assert.Contains("nv_inference_pending_request_count{model=\"m\",version=\"3\"} 6", lines);
    }

    [Fact]
    public void Write_Histogram_IsCumulativeAndEndsWithTheWhole()
    {
        var statistics = Statistics with { BatchRows = new BucketSnapshot([1, 2], [3, 4, 6], 17) };
        var labels = "{model=\"m\",version=\"3\"";

        var lines = Lines(text => LatencyMetrics.Write(text, [new ModelSample("m", 3, statistics)], MetricsFlags.Default));

        Assert.Equal(
            [
                $"runtime_inference_batch_size_bucket{labels},le=\"1\"}} 3", $"runtime_inference_batch_size_bucket{labels},le=\"2\"}} 4", $"runtime_inference_batch_size_bucket{labels},le=\"+Inf\"}} 6",
                $"runtime_inference_batch_size_sum{labels}}} 17", $"runtime_inference_batch_size_count{labels}}} 6",
            ],
            lines.Where(line => !line.StartsWith('#')));
        Assert.Contains("# TYPE runtime_inference_batch_size histogram", lines);
    }

    [Fact]
    public void Write_Summaries_HaveTritonsNamesAndMicroseconds()
    {
        SummarySnapshot[] summaries = [.. Enumerable.Range(1, 5).Select(i => new SummarySnapshot(new(i, i * 5000), [i * 1000.0, double.NaN]))];
        var flags = MetricsFlags.Default with { Summaries = true, Quantiles = [0.5, 0.99] };

        var lines = Lines(text => LatencyMetrics.Write(text, [new ModelSample("m", 3, Statistics, summaries)], flags)).Where(line => !line.StartsWith('#')).ToArray();

        string[] stages = ["request", "queue", "compute_input", "compute_infer", "compute_output"];
        var labels = "{model=\"m\",version=\"3\"";
        Assert.Equal(stages.SelectMany((stage, i) => new[]
        {
            $"nv_inference_{stage}_summary_us_count{labels}}} {i + 1}",
            $"nv_inference_{stage}_summary_us_sum{labels}}} {(i + 1) * 5}",
            $"nv_inference_{stage}_summary_us{labels},quantile=\"0.5\"}} {i + 1}",
            $"nv_inference_{stage}_summary_us{labels},quantile=\"0.99\"}} NaN",
        }), lines);
    }

    [Fact]
    public void Write_FirstResponse_IsThereWhereAskedFor()
    {
        var statistics = Statistics with { FirstResponseMilliseconds = new BucketSnapshot([100], [1, 2], 300.5) };
        ModelSample[] samples = [new("m", 3, statistics), new("plain", 1, Statistics)];

        var lines = Lines(text => LatencyMetrics.Write(text, samples, MetricsFlags.Default with { Histograms = true }));

        Assert.Contains("nv_inference_first_response_histogram_ms_bucket{model=\"m\",version=\"3\",le=\"100\"} 1", lines);
        Assert.Contains("nv_inference_first_response_histogram_ms_sum{model=\"m\",version=\"3\"} 300.5", lines);
        Assert.DoesNotContain(lines, line => line.Contains("plain", StringComparison.Ordinal));
        Assert.DoesNotContain(Lines(text => LatencyMetrics.Write(text, samples, MetricsFlags.Default)), line => line.Contains("first_response", StringComparison.Ordinal));
    }

    [Fact]
    public void Write_NoModels_DeclaresTheMetrics() => Assert.All(Lines(), line => Assert.StartsWith("# ", line, StringComparison.Ordinal));

    [Fact]
    public void Write_NameWithSpecialCharacters_IsEscaped()
        => Assert.Contains("nv_inference_count{model=\"a\\\\b\\\"c\\nü\",version=\"1\"} 20", Lines(new ModelSample("a\\b\"c\nü", 1, Statistics)));

    [Fact]
    public void Write_Machine_GivesMemoryAndUtilization()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "meminfo"), "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:   250 kB\n");
            File.WriteAllText(Path.Combine(directory.FullName, "stat"), "cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 1 1 1 1\n");
            var machine = new MachineMetrics(directory.FullName);
            Assert.Contains("nv_cpu_utilization 0.2", Lines(machine.Write));
            File.WriteAllText(Path.Combine(directory.FullName, "stat"), "cpu  60 0 60 70 10 0 0 0 0 0\n");

            var lines = Lines(machine.Write);

            Assert.Contains("nv_cpu_utilization 1", lines);
            Assert.Contains("nv_cpu_memory_total_bytes 1024000", lines);
            Assert.Contains("nv_cpu_memory_used_bytes 768000", lines);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Write_MachineWithoutProc_GivesNothing() => Assert.Equal([], Lines(new MachineMetrics("/no/such/directory").Write));

    private static string[] Lines(params ModelSample[] samples) => Lines(text => ModelMetrics.Write(text, samples, MetricsFlags.Default));

    private static string[] Lines(Action<PrometheusText> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(new PrometheusText(buffer));
        var text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        Assert.True(text.Length == 0 || text.EndsWith('\n'));
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
