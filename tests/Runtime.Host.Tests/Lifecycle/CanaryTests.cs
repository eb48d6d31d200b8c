using Runtime.Host.Lifecycle;
using Runtime.Host.Options;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Nvcf;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Lifecycle;

public sealed class CanaryTests
{
    private const string Gated = "backend: 'gated' max_batch_size: 1 dynamic_batching { priority_levels: 2 default_priority_level: 2 }";
    private const string Warmed = "backend: 'faulty' model_warmup { name: 'w' inputs { key: 'X' value { data_type: TYPE_INT32 dims: 1 input_data_file: 'x' } } }";
    private const int Interval = 60_000;
    private const int Limit = 5_000;

    private static readonly HostOptions Options = new() { CanaryIntervalSecs = Interval / 1000, CanaryTimeoutSecs = Limit / 1000 };

    private readonly GatedBackend _gated = new();
    private readonly StepClock _time = new();
    private readonly LogLines _log = new();

    [Fact]
    public async Task Interval_ModelAnswers_IsAskedAgainAndCountsNothing()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        for (var round = 0; round < 2; round++)
        {
            _time.Advance(Interval - 1);
            Assert.Equal(round, _gated.Executed.Count);
            _time.Advance(1);
            await _gated.EnteredAsync();
            Assert.Equal(0, Statistics(host, "gated").Pending);
            _gated.Open();
            Assert.StartsWith("Debug: Model 'gated' version 1 answered its canary", await _log.NextAsync(), StringComparison.Ordinal);
        }

        Assert.Equal([0, 0], _gated.Executed);
        var counts = Statistics(host, "gated");
        Assert.Equal((0, 0, 0, 0L), (counts.ExecutionCount, counts.InferenceCount, counts.Success.Count, counts.InputBytes));
        Assert.True(host.State.IsReady);
    }

    [Fact]
    public async Task Timeout_CanaryDoesNotReturn_IsNotReadyUntilItDoes()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        _time.Advance(Interval);
        await _gated.EnteredAsync();
        _time.Advance(Limit - 1);
        Assert.Equal((true, true, true), await host.ReadyAsync());

        _time.Advance(1);

        Assert.Equal((false, false, false), await host.ReadyAsync());
        Assert.True(host.State.IsLive);
        Assert.StartsWith("Error: Model 'gated' version 1 has not executed the canary of ", await _log.NextAsync(), StringComparison.Ordinal);
        _time.Advance(2 * Interval); // nobody is asked twice
        _gated.Open();
        Assert.StartsWith("Warning: Model 'gated' version 1 executes again", await _log.NextAsync(), StringComparison.Ordinal);
        Assert.Equal((true, true, true), await host.ReadyAsync());
    }

    [Fact]
    public async Task Timeout_InstanceServesOthersFirst_IsHungOnlyWhenItStops()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        var first = AskAsync(host, 1);
        await _gated.EnteredAsync();
        _time.Advance(Interval);
        var second = AskAsync(host, 2, priority: 1);
        _gated.Open();
        await first;
        await _gated.EnteredAsync(); // the second, before the canary
        _time.Advance(Limit);
        Assert.True(host.State.IsReady);
        _gated.Open();
        await second;
        await _gated.EnteredAsync(); // the canary
        _time.Advance(Limit);
        Assert.True(host.State.IsReady);

        _time.Advance(Limit);

        Assert.False(host.State.IsReady);
        _gated.Open();
        Assert.StartsWith("Error", await _log.NextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("Warning", await _log.NextAsync(), StringComparison.Ordinal);
        Assert.True(host.State.IsReady);
    }

    [Fact]
    public async Task Timeout_ClientsRequestHangs_IsNotReady()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        var hung = AskAsync(host, 1);
        await _gated.EnteredAsync();

        _time.Advance(Interval + Limit);

        Assert.False(host.State.IsReady);
        _gated.Open(2);
        await hung;
    }

    [Fact]
    public async Task Interval_HungVersionIsReplaced_IsReadyAgain()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        _time.Advance(Interval + Limit);
        Assert.False(host.State.IsReady);
        Assert.Null(await host.Models.UnloadAsync("gated", false, default));

        _time.Advance(Interval);

        Assert.True(host.State.IsReady);
        _gated.Open();
    }

    [Fact]
    public async Task Timeout_VersionIsGone_IsReady()
    {
        await using var host = await StartAsync(("gated", Gated));
        using var canary = Watch(host);
        _time.Advance(Interval);
        Assert.Null(await host.Models.UnloadAsync("gated", false, default));

        _time.Advance(Limit);

        Assert.True(host.State.IsReady);
        _gated.Open();
    }

    [Fact]
    public async Task Interval_WarmUpSample_IsWhatIsAsked()
    {
        await using var host = await RunningHost.StartAsync([new FaultyBackend("faulty")], []);
        await LoadWarmedAsync(host);
        using var canary = Watch(host);

        _time.Advance(Interval);
        Assert.StartsWith("Debug: Model 'warmed' version 1 answered", await _log.NextAsync(), StringComparison.Ordinal);

        // Ordinary faults are said once, and no reason to send clients elsewhere.
        await WriteSampleAsync(host, 1, 2);
        _time.Advance(Interval);
        Assert.Contains("fails its canary: warm-up file warmup/x must have 4 bytes for input 'X', and has 8", await _log.NextAsync(), StringComparison.Ordinal);
        Assert.True(host.State.IsReady);
        _time.Advance(Interval);
        await WriteSampleAsync(host, 1);
        _time.Advance(Interval);
        Assert.StartsWith("Debug: ", await _log.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interval_CanaryLosesTheDevice_EndsTheHost()
    {
        await using var host = await RunningHost.StartAsync([new FaultyBackend("faulty")], []);
        await LoadWarmedAsync(host);
        using var canary = Watch(host);
        await WriteSampleAsync(host, FaultyBackend.Fatal);

        _time.Advance(Interval);

        Assert.Equal($"model 'warmed': {FaultyBackend.Message}", await host.State.Broken);
        Assert.Equal(1, await host.ExitCode);
    }

    [Fact]
    public async Task Interval_SequencesStreamsAndEnsembles_AreNotAsked()
    {
        await using var host = await RunningHost.StartAsync(
            [_gated, new FaultyBackend("streaming", isStreaming: true), new FaultyBackend("faulty")],
            [
                ("plain", "backend: 'faulty'"),
                ("sequence", "backend: 'gated' sequence_batching { }"),
                ("stream", "backend: 'streaming' model_transaction_policy { decoupled: true }"),
                ("ensemble", "platform: 'ensemble' input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 } "
                    + "ensemble_scheduling { step { model_name: 'plain' model_version: -1 input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } } }"),
            ]);
        using var canary = Watch(host);

        _time.Advance(Interval);

        Assert.Contains("'plain'", await _log.NextAsync(), StringComparison.Ordinal);
        _time.Advance(Limit);
        Assert.True(host.State.IsReady);
    }

    private Canary Watch(RunningHost host) => new(Options, host.Models, host.State, _log, _time);

    private Task<RunningHost> StartAsync(params (string, string)[] models) => RunningHost.StartAsync([_gated], models);

    private static async Task LoadWarmedAsync(RunningHost host)
    {
        host.Write("warmed", Warmed);
        await WriteSampleAsync(host, 1);
        Assert.Null(await host.Models.LoadAsync("warmed", null, default));
    }

    private static Task WriteSampleAsync(RunningHost host, params int[] values)
    {
        var directory = Directory.CreateDirectory(Path.Combine(host.Directory, "warmed", "warmup"));
        return File.WriteAllBytesAsync(Path.Combine(directory.FullName, "x"), TestRequests.Bytes(values));
    }

    private static ModelStatisticsSnapshot Statistics(RunningHost host, string model)
    {
        Assert.Null(host.Models.TryAcquire(model, "", out var lease));
        using (lease)
        {
            return lease.Model.Statistics.Snapshot();
        }
    }

    private static async Task AskAsync(RunningHost host, int value, ulong priority = 0)
    {
        Assert.Null(host.Models.TryAcquire("gated", "", out var lease));
        using (lease)
        using (var request = new InferenceRequest { Priority = priority })
        {
            request.Inputs.Rent("X", DataType.Int32, [1, 1], sizeof(int), out var memory);
            TestRequests.Bytes(value).CopyTo(memory);
            using var response = await lease.Model.InferAsync(request, default);
            Assert.Null(response.Error);
        }
    }
}
