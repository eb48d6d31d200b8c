using Runtime.Host.Grpc;
using Runtime.Host.Tests.Http;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Metrics;

/// <summary>What three equal requests to a model with a response cache look like through each door.</summary>
public sealed class StatisticsTests : IAsyncLifetime
{
    private readonly RouterHarness _router = new();

    public async Task InitializeAsync()
    {
        _router.AddModel("m", "response_cache { enable: true }", 1);
        _router.AddModel("plain", 1);
        Assert.Null(await _router.Models.LoadAsync("m", null, default));
        Assert.Null(await _router.Models.LoadAsync("plain", null, default));
        for (var i = 0; i < 3; i++)
        {
            await AskAsync();
        }
    }

    public async Task DisposeAsync() => await _router.DisposeAsync();

    [Fact]
    public async Task Http_CachedRequests_AreHitsAndNoInferences()
    {
        var model = (await _router.SendAsync("GET", "/v2/models/m/stats")).Json.GetProperty("model_stats")[0];

        Assert.Equal((2, 1), (model.GetProperty("inference_count").GetInt32(), model.GetProperty("execution_count").GetInt32()));
        var counts = model.GetProperty("inference_stats").EnumerateObject().Select(stage => $"{stage.Name} {stage.Value.GetProperty("count")}");
        Assert.Equal(["success 3", "fail 0", "queue 3", "compute_input 1", "compute_infer 1", "compute_output 1", "cache_hit 2", "cache_miss 1"], counts);
        Assert.All(["cache_hit", "cache_miss"], name => Assert.True(model.GetProperty("inference_stats").GetProperty(name).GetProperty("ns").GetInt64() > 0));
        var batch = Assert.Single(model.GetProperty("batch_stats").EnumerateArray());
        Assert.Equal((2, 1), (batch.GetProperty("batch_size").GetInt32(), batch.GetProperty("compute_infer").GetProperty("count").GetInt32()));
    }

    [Fact]
    public void Grpc_CachedRequests_AreHitsAndNoInferences()
    {
        var model = Assert.Single(new ModelMethods(_router.Models).Statistics(new Protocol.ModelStatisticsRequest { Name = "m" }).Message!.ModelStats);

        var stages = model.InferenceStats;
        Assert.Equal((2ul, 1ul), (model.InferenceCount, model.ExecutionCount));
        Assert.Equal((3ul, 3ul, 1ul, 2ul, 1ul), (stages.Success.Count, stages.Queue.Count, stages.ComputeInfer.Count, stages.CacheHit.Count, stages.CacheMiss.Count));
        Assert.True(stages.CacheHit.Ns > 0 && stages.CacheMiss.Ns > 0);
        Assert.Equal((2ul, 1ul), (Assert.Single(model.BatchStats).BatchSize, model.BatchStats[0].ComputeInfer.Count));
    }

    [Fact]
    public async Task Metrics_CachedRequests_AreCountedForTheModelsThatUseTheCache()
    {
        var lines = (await _router.MetricsAsync()).Body.Split('\n');

        Assert.Contains("nv_cache_num_hits_per_model{model=\"m\",version=\"1\"} 2", lines);
        Assert.Contains("nv_cache_num_misses_per_model{model=\"m\",version=\"1\"} 1", lines);
        Assert.Contains("nv_inference_request_success{model=\"m\",version=\"1\"} 3", lines);
        Assert.Contains("nv_inference_count{model=\"m\",version=\"1\"} 2", lines);
        Assert.Contains("runtime_response_cache_entries 1", lines);
        Assert.Contains("runtime_response_cache_capacity_bytes 1048576", lines);
        Assert.Contains("runtime_inference_request_duration_seconds_count{model=\"m\",version=\"1\"} 3", lines);
        Assert.Contains("runtime_inference_batch_size_bucket{model=\"m\",version=\"1\",le=\"2\"} 1", lines);
        Assert.Contains("runtime_inference_batch_size_bucket{model=\"m\",version=\"1\",le=\"1\"} 0", lines);
        Assert.Contains("# TYPE nv_cache_hit_duration_per_model counter", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("nv_cache_", StringComparison.Ordinal) && line.Contains("plain", StringComparison.Ordinal));
    }

    private async Task AskAsync()
    {
        Assert.Null(_router.Models.TryAcquire("m", "", out var lease));
        using (lease)
        using (var request = new InferenceRequest())
        {
            request.Inputs.Rent("INPUT0", DataType.Bytes, [2, 4, 1], 32, out var memory);
            memory.Span.Clear();
            using var response = await lease.Model.InferAsync(request, default);
            Assert.Null(response.Error);
        }
    }
}
