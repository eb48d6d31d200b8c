using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Models;

/// <summary>Tests that look at the process's tensor pool, and so run while no others do.</summary>
[CollectionDefinition("pool", DisableParallelization = true)]
public sealed class PoolTests;

/// <summary>Random requests against models that come and go.</summary>
[Collection("pool")]
public sealed class RepositoryTortureTests
{
    private const int Threads = 8;
    private const int Window = 32;
    private const int Additions = 3;

    private const string Batching = """
        instance_group { kind: KIND_CPU count: 3 }
        dynamic_batching {
          max_queue_delay_microseconds: 50 priority_levels: 3 default_priority_level: 2
          default_queue_policy { allow_timeout_override: true max_queue_size: 24 }
        }
        """;

    private const string Chain = """
        platform: "ensemble" max_batch_size: 8
        input { name: "X" data_type: TYPE_INT32 dims: -1 } output { name: "Y" data_type: TYPE_INT32 dims: -1 }
        ensemble_scheduling {
          step { model_name: "plain" model_version: -1 input_map { key: "X" value: "X" } output_map { key: "Y" value: "middle" } }
          step { model_name: "batched" model_version: -1 input_map { key: "X" value: "middle" } output_map { key: "Y" value: "Y" } }
        }
        """;

    private const string OverridingConfig = """
        {"backend": "add", "max_batch_size": 8,
         "input": [{"name": "X", "data_type": "TYPE_INT32", "dims": [-1]}], "output": [{"name": "Y", "data_type": "TYPE_INT32", "dims": [-1]}]}
        """;

    private static readonly string[] Names = ["plain", "batched", "versions", "chain"];

    private readonly ConcurrentDictionary<ErrorCode, int> _refused = new();
    private readonly ConcurrentBag<string> _unexpected = [];
    private readonly TortureTime _time = new();
    private int _served;
    private int _answered;

    /// <summary>Every request is answered once, with its own data or an error that its own doing or another's explains, no buffer is lost, and nothing is logged.</summary>
    [Fact]
    public async Task InferAsync_ModelsComeAndGoOnEightThreads_EveryRequestAnsweredOnceWithItsOwnData()
    {
        var lent = TensorPool.Shared.Outstanding;
        await using (var repository = new RepositoryUnderTest(ModelControlMode.Explicit, "*"))
        {
            repository.Write("plain", "", (1, "1"));
            repository.Write("batched", Batching, (1, "2"));
            repository.Write("versions", Batching + " version_policy { all { } }", (1, "1"), (2, "2"), (3, "3"));
            repository.WriteConfig("chain", Chain);
            Assert.Empty(await repository.Models.StartAsync(default));

            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() => RunAsync(repository, new Random(thread)))));
            Assert.Empty(repository.Warnings);
        }

        Assert.Empty(_unexpected);
        Assert.Equal(_time.Requests, _answered);
        Assert.Equal(_answered, _served + _refused.Values.Sum());
        Assert.All([ErrorCode.Cancelled, ErrorCode.Unavailable, ErrorCode.NotFound, ErrorCode.InvalidArgument], code => Assert.Contains(code, _refused.Keys));
        Assert.True(_served > _answered / 4, $"{_served} of {_answered} were served");
        Assert.Equal(lent, TensorPool.Shared.Outstanding);
    }

    private async Task RunAsync(RepositoryUnderTest repository, Random random)
    {
        var window = new List<Task>();
        for (var isGoingOn = true; isGoingOn;)
        {
            while (window.Count < Window && (isGoingOn = _time.TryNext()))
            {
                window.Add(SendAsync(repository, random));
            }

            await ChangeAsync(repository, random);
            await Task.WhenAll(window);
            window.Clear();
        }
    }

    private async Task SendAsync(RepositoryUnderTest repository, Random random)
    {
        var name = Names[random.Next(Names.Length)];
        var version = name == "versions" && random.Next(2) == 0 ? random.Next(1, 4).ToString(CultureInfo.InvariantCulture) : "";
        var (rows, columns) = (random.Next(1, 5), random.Next(1, random.Next(8) == 0 ? 5000 : 5));
        var values = Enumerable.Range(0, rows * columns).Select(_ => random.Next(1 << 30)).ToArray();
        var (isWrong, isLeaving) = (random.Next(32) == 0, random.Next(8) == 0);
        using var request = TestModels.Request([rows, columns], values, isWrong ? "Z" : "X");
        request.Priority = (ulong)random.Next(4);
        request.TimeoutMicroseconds = random.Next(4) == 0 ? 1000u : 0;
        if (repository.Models.TryAcquire(name, version, out var lease) is { } missing)
        {
            Refuse(missing, isWrong, isLeaving);
            return;
        }

        using (lease)
        using (var leaving = new CancellationTokenSource())
        {
            var pending = lease.Model.InferAsync(request, leaving.Token);
            if (isLeaving)
            {
                await leaving.CancelAsync();
            }

            using var response = await pending;
            Interlocked.Increment(ref _answered);
            if (response.Error is { } error)
            {
                Refuse(error, isWrong, isLeaving, isAnswered: true);
                return;
            }

            Interlocked.Increment(ref _served);
            Check(name, version, values, TestModels.Values(response));
        }
    }

    private void Refuse(InferenceError error, bool isWrong, bool isLeaving, bool isAnswered = false)
    {
        if (!isAnswered)
        {
            Interlocked.Increment(ref _answered);
        }

        _refused.AddOrUpdate(error.Code, 1, (_, count) => count + 1);
        var isExpected = error.Code switch
        {
            ErrorCode.InvalidArgument => isWrong,
            ErrorCode.Cancelled => isLeaving,
            ErrorCode.Unavailable => error.Message.Contains("Exceeds maximum queue size", StringComparison.Ordinal) || error.Message.Contains("Request timeout expired", StringComparison.Ordinal),
            ErrorCode.NotFound => error.Message.Contains("has no available versions", StringComparison.Ordinal) || error.Message.Contains("is not found", StringComparison.Ordinal),
            _ => false,
        };
        if (!isExpected)
        {
            _unexpected.Add(error.ToString());
        }
    }

    /// <summary>All elements grew by one number, which a version of the model could have had.</summary>
    private void Check(string name, string version, int[] sent, int[] received)
    {
        var addition = received.Length == sent.Length ? received[0] - sent[0] : -1;
        var most = name == "chain" ? 2 * Additions : Additions;
        var isKnown = version.Length > 0 ? addition == int.Parse(version, CultureInfo.InvariantCulture) : addition >= 1 && addition <= most;
        if (!isKnown || !sent.Select(value => value + addition).SequenceEqual(received))
        {
            _unexpected.Add($"{name} {version} answered {sent.Length} values with {received.Length}, the first {addition} more");
        }
    }

    /// <summary>Loads, unloads or replaces a model, some of the times by one that does not load.</summary>
    private async Task ChangeAsync(RepositoryUnderTest repository, Random random)
    {
        var name = Names[random.Next(Names.Length)];
        var content = random.Next(Additions + 1);
        var isReplacing = name is "plain" or "batched" && random.Next(2) == 0;
        var error = random.Next(4) switch
        {
            0 => await repository.UnloadAsync(name, unloadDependents: random.Next(2) == 0),
            1 when isReplacing => await repository.LoadAsync(name, Replacing(content)),
            _ => await repository.LoadAsync(name),
        };
        if (error is not null && !(isReplacing && content == 0) && name != "chain")
        {
            _unexpected.Add(error.ToString());
        }
    }

    private static LoadOverrides Replacing(int addition)
    {
        var text = addition == 0 ? "broken" : addition.ToString(CultureInfo.InvariantCulture);
        return new LoadOverrides(OverridingConfig, new Dictionary<string, ReadOnlyMemory<byte>> { ["1/model"] = Encoding.ASCII.GetBytes(text) });
    }
}
