using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Devices;

namespace Runtime.Tests.Models;

public sealed class ResponseCacheTests : IDisposable
{
    private readonly ResponseCache _cache = new(1 << 20);
    private readonly List<Model> _models = [];
    private int _executions;

    public void Dispose()
    {
        _models.ForEach(model => model.Dispose());
        Assert.Equal((0, 0), (_cache.Counts.Entries, _cache.Counts.Bytes));
    }

    [Fact]
    public async Task InferAsync_SameRequestTwice_ExecutesOnceAndCountsAHit()
    {
        var model = Make();

        await AssertAsync(model, TestModels.Request(1, 2), 2, 3);
        await AssertAsync(model, TestModels.Request(1, 2), 2, 3);

        Assert.Equal(1, _executions);
        var statistics = model.Statistics.Snapshot();
        Assert.Equal((1, 1), (statistics.CacheHit.Count, statistics.CacheMiss.Count));
        Assert.Equal((2, 2, 1), (statistics.Success.Count, statistics.Queue.Count, statistics.ComputeInfer.Count));
        Assert.Equal((1, 1), (statistics.InferenceCount, statistics.ExecutionCount));
        Assert.True(statistics.CacheHit.Nanoseconds > 0 && statistics.CacheMiss.Nanoseconds > 0 && statistics.IsCached);
    }

    [Fact]
    public async Task InferAsync_Hit_CarriesTheRequestsOwnId()
    {
        var model = Make();
        await AskAsync(model, TestModels.Request(1));
        using var request = TestModels.Request(1);
        request.Id = "second";

        using var response = await model.InferAsync(request, default);

        Assert.Equal(("second", 1), (response.Id, _executions));
    }

    [Fact]
    public async Task InferAsync_Hit_SurvivesThatTheFirstAnswersMemoryIsReused()
    {
        var model = Make();
        await AskAsync(model, TestModels.Request(1, 2, 3));
        for (var i = 0; i < 20; i++)
        {
            await AskAsync(model, TestModels.Request(i + 10, i + 11, i + 12));
        }

        await AssertAsync(model, TestModels.Request(1, 2, 3), 2, 3, 4);
        Assert.Equal(21, _executions);
    }

    [Fact]
    public async Task InferAsync_EqualBytesOfOtherShape_DoNotShareAnAnswer()
    {
        var model = Make();
        await AskAsync(model, TestModels.Request([1, 2], [1, 2]));

        using var request = TestModels.Request([2, 1], [1, 2]);
        using var response = await model.InferAsync(request, default);

        Assert.Equal([2, 1], response.Outputs[0].Shape);
        Assert.Equal(2, _executions);
    }

    [Fact]
    public async Task InferAsync_EqualBytesCutBetweenInputsElsewhere_DoNotShareAnAnswer()
    {
        var model = Make(message =>
        {
            message.MaxBatchSize = 0;
            message.Input.Add(new Protocol.ModelInput { Name = "Z", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
        });
        await AskAsync(model, Two([1], [2, 3]));

        await AssertAsync(model, Two([1, 2], [3]), 2, 3);
        Assert.Equal(2, _executions);
    }

    [Fact]
    public async Task InferAsync_InputsInOtherOrder_ShareAnAnswer()
    {
        var model = Make(message =>
        {
            message.MaxBatchSize = 0;
            message.Input.Add(new Protocol.ModelInput { Name = "Z", DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
        });
        await AskAsync(model, Two([1], [2]));
        var swapped = new InferenceRequest();
        TestModels.AddInput(swapped, "Z", [1], 2);
        TestModels.AddInput(swapped, "X", [1], 1);

        await AssertAsync(model, swapped, 2);
        Assert.Equal(1, _executions);
    }

    [Fact]
    public async Task InferAsync_OtherClasses_DoNotShareAnAnswer()
    {
        var model = Make();
        var (plain, one, two) = (TestModels.Request(1, 2), TestModels.Request(1, 2), TestModels.Request(1, 2));
        one.Outputs.Add(new RequestedOutput("Y", 1));
        two.Outputs.Add(new RequestedOutput("Y", 2));

        using var first = await model.InferAsync(plain, default);
        using var second = await model.InferAsync(one, default);
        using var third = await model.InferAsync(two, default);

        Assert.Equal((DataType.Int32, DataType.Bytes, DataType.Bytes), (first.Outputs[0].Type, second.Outputs[0].Type, third.Outputs[0].Type));
        Assert.Equal((1, 2), (second.Outputs[0].ElementCount, third.Outputs[0].ElementCount));
    }

    [Fact]
    public async Task InferAsync_FailedExecution_IsNotKept()
    {
        var model = Make(function: (inputs, token) => ++_executions == 1 ? throw new InferenceException(ErrorCode.Internal, "once") : TestModels.AddOne(inputs, token));
        using var request = TestModels.Request(1);
        using var failed = await model.InferAsync(request, default);

        Assert.Equal("once", failed.Error?.Message);
        await AssertAsync(model, TestModels.Request(1), 2);
        Assert.Equal(2, _executions);
    }

    [Fact]
    public async Task InferAsync_AnswerLargerThanTheCache_IsNotKept()
    {
        var small = new ResponseCache(1000);
        var model = Make(cache: small);
        await AskAsync(model, TestModels.Request(1));
        var before = small.Counts;

        await AskAsync(model, TestModels.Request(new int[300]));

        Assert.Equal(before, small.Counts);
        Assert.Equal(1, before.Entries);
    }

    [Fact]
    public async Task InferAsync_CacheFull_LetsGoOfTheLeastRecentlyUsed()
    {
        var probe = new ResponseCache(1 << 20);
        await AskAsync(Make(cache: probe), TestModels.Request(1));
        var two = new ResponseCache(probe.Counts.Bytes * 2);
        var model = Make(cache: two);
        _executions = 0;

        foreach (var value in new[] { 1, 2, 1, 3, 1, 2 })
        {
            await AssertAsync(model, TestModels.Request(value), value + 1);
        }

        Assert.Equal(4, _executions); // 1, 2, 3, and 2 again
        Assert.Equal((2, two.CapacityBytes, 2), (two.Counts.Entries, two.Counts.Bytes, two.Counts.Evictions));
    }

    [Fact]
    public async Task InferAsync_TwoModelsWithEqualInputs_DoNotShareAnAnswer()
    {
        var (one, other) = (Make(), Make(function: static (inputs, token) =>
        {
            var outputs = TestModels.AddOne(inputs, token);
            MemoryMarshal.AsMemory(outputs[0].Data).Span.Clear();
            return outputs;
        }));

        await AssertAsync(one, TestModels.Request(7), 8);
        await AssertAsync(other, TestModels.Request(7), 0);
        await AssertAsync(one, TestModels.Request(7), 8);
        Assert.Equal(2, _cache.Counts.Entries);
    }

    [Fact]
    public async Task InferAsync_InputsThatOthersMayWrite_AreNotCached()
    {
        var model = Make();
        using var foreign = new Foreign(BitConverter.GetBytes(1));
        for (var value = 1; value <= 2; value++)
        {
            BitConverter.TryWriteBytes(foreign.GetSpan(), value);
            var request = new InferenceRequest();
            request.Inputs.Add(new Tensor("X", DataType.Int32, [1, 1], foreign.Memory));

            await AssertAsync(model, request, value + 1);
        }

        Assert.Equal((0, 2), (_cache.Counts.Entries, _executions));
    }

    [Fact]
    public async Task InferAsync_DeviceMemoryThatOthersMayWrite_IsNotCached()
    {
        var model = Make();
        var device = new HeapDevice(0);
        for (var value = 1; value <= 2; value++)
        {
            var memory = new HeapDevice.Block(device, BitConverter.GetBytes(value)) { IsForeign = true };
            var request = new InferenceRequest();
            request.Inputs.Add(new Tensor("X", DataType.Int32, [1, 1], memory.Memory), memory);

            await AssertAsync(model, request, value + 1);
        }

        Assert.Equal((0, 2), (_cache.Counts.Entries, _executions));
    }

    [Fact]
    public async Task InferAsync_ModelThatDoesNotWantIt_IsNotCached()
    {
        var model = Make(message => message.ResponseCache = null);
        await AskAsync(model, TestModels.Request(1));
        await AskAsync(model, TestModels.Request(1));

        var statistics = model.Statistics.Snapshot();
        Assert.Equal((2, 0, 0, 0), (_executions, _cache.Counts.Entries, statistics.CacheHit.Count, statistics.CacheMiss.Count));
        Assert.False(statistics.IsCached);
    }

    /// <summary>Threads ask for few different answers of many sizes, through a cache that holds a handful of them.</summary>
    [Fact]
    public async Task InferAsync_RandomLoadOnATinyCache_EveryAnswerIsRightAndTheBytesAreBounded()
    {
        var tiny = new ResponseCache(8192);
        Model[] models = [Make(cache: tiny, count: false), Make(message => message.DynamicBatching = new Protocol.ModelDynamicBatching(), tiny, count: false)];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 2000; i++)
            {
                var values = Enumerable.Repeat(random.Next(4), random.Next(1, 6) * random.Next(1, 100)).ToArray();
                Assert.Equal(values.Select(value => value + 1), await AskAsync(models[random.Next(2)], TestModels.Request(values)));
                Assert.InRange(tiny.Counts.Bytes, 0, tiny.CapacityBytes);
            }
        })));

        var statistics = models.Select(model => model.Statistics.Snapshot()).ToArray();
        Assert.Equal(8 * 2000, statistics.Sum(each => each.Success.Count));
        Assert.Equal(8 * 2000, statistics.Sum(each => each.CacheHit.Count + each.CacheMiss.Count));
        Assert.All(statistics, each => Assert.True(each.CacheHit.Count > 0));
        Assert.True(tiny.Counts.Evictions > 0);
    }

    [Fact]
    public async Task AskAsync_VersionsOfOneModel_DoNotShareAnAnswer()
    {
        await using var repository = new RepositoryUnderTest(_cache);
        repository.Write("m", "response_cache { enable: true } version_policy { all { } }", (1, "1"), (2, "2"));
        Assert.Null(await repository.LoadAsync("m"));

        Assert.Equal(("2", "3"), (await repository.AskAsync("m", "1"), await repository.AskAsync("m", "2")));
        Assert.Equal(("2", "3"), (await repository.AskAsync("m", "1"), await repository.AskAsync("m", "2")));
        Assert.Equal(2, _cache.Counts.Entries);
    }

    [Fact]
    public async Task LoadAsync_ModelChanged_DoesNotAnswerFromBefore()
    {
        await using var repository = new RepositoryUnderTest(_cache);
        repository.Write("m", "response_cache { enable: true }", (1, "1"));
        Assert.Null(await repository.LoadAsync("m"));
        Assert.Equal("2", await repository.AskAsync("m"));

        repository.WriteVersions("m", (1, "10"));
        Assert.Null(await repository.LoadAsync("m"));

        Assert.Equal("11", await repository.AskAsync("m"));
    }

    [Fact]
    public async Task LoadAsync_WarmUp_RunsAndLeavesNothingInTheCache()
    {
        await using var repository = new RepositoryUnderTest(_cache);
        repository.Write("m", "response_cache { enable: true } model_warmup { name: 'w' count: 3 batch_size: 1 inputs { key: 'X' value { data_type: TYPE_INT32 dims: 1 zero_data: true } } }", (1, "1"));
        Assert.Null(await repository.LoadAsync("m"));

        Assert.Null(repository.Models.TryList("m", "", out var models));
        Assert.Equal((3, 0), (models[0].Statistics.Snapshot().ExecutionCount, _cache.Counts.Entries));
    }

    [Fact]
    public async Task AskAsync_EnsembleWhoseStepChanged_AsksTheStepAgain()
    {
        await using var repository = new RepositoryUnderTest(_cache);
        repository.Write("step", "", (1, "1"));
        repository.WriteConfig("e", """
            platform: 'ensemble' max_batch_size: 8 response_cache { enable: true }
            input { name: 'X' data_type: TYPE_INT32 dims: -1 } output { name: 'Y' data_type: TYPE_INT32 dims: -1 }
            ensemble_scheduling { step { model_name: 'step' model_version: -1 input_map { key: 'X' value: 'X' } output_map { key: 'Y' value: 'Y' } } }
            """);
        repository.WriteVersions("e", (1, ""));
        Assert.Null(await repository.LoadAsync("e"));
        Assert.Equal(("2", "2"), (await repository.AskAsync("e"), await repository.AskAsync("e")));
        Assert.Null(repository.Models.TryList("e", "", out var models));
        Assert.Equal(1, models[0].Statistics.Snapshot().CacheHit.Count);

        repository.WriteVersions("step", (1, "10"));
        Assert.Null(await repository.LoadAsync("step"));

        Assert.Equal("11", await repository.AskAsync("e"));
    }

    private static InferenceRequest Two(int[] x, int[] z)
    {
        var request = new InferenceRequest();
        TestModels.AddInput(request, "X", [x.Length], x);
        TestModels.AddInput(request, "Z", [z.Length], z);
        return request;
    }

    private static async Task<int[]> AskAsync(Model model, InferenceRequest request)
    {
        using (request)
        using (var response = await model.InferAsync(request, default))
        {
            Assert.Null(response.Error);
            return TestModels.Values(response);
        }
    }

    private static async Task AssertAsync(Model model, InferenceRequest request, params int[] expected) => Assert.Equal(expected, await AskAsync(model, request));

    private Model Make(
        Action<Protocol.ModelConfig>? configure = null, ResponseCache? cache = null, Func<TensorSet, CancellationToken, TensorSet>? function = null, bool count = true)
    {
        var model = TestModels.Make(
            function ?? ((inputs, token) =>
            {
                _executions += count ? 1 : 0;
                return TestModels.AddOne(inputs, token);
            }),
            message =>
            {
                message.ResponseCache = new Protocol.ModelResponseCache { Enable = true };
                configure?.Invoke(message);
            });
        model.UseCache(cache ?? _cache);
        _models.Add(model);
        return model;
    }

    private sealed class Foreign(byte[] bytes) : ForeignMemory, IDisposable
    {
        public override Span<byte> GetSpan() => bytes;

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => bytes.AsMemory(elementIndex).Pin();

        public override void Unpin()
        {
        }

        public void Dispose() => Dispose(true);

        protected override void Dispose(bool disposing)
        {
        }
    }
}
