using System.Diagnostics;
using System.Globalization;
using Runtime.Backends;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;
using Runtime.Torch;

namespace Runtime.Benchmarks.Batching;

/// <summary>
/// <c>served REPOSITORY MODEL…</c>: any batching model, on any backend and device, through its queue beside a bare loop over
/// an instance of its own in the same process: the rate of the best batch size, and what a lonely request of one row pays more.
/// </summary>
internal static class ServedComparison
{
    private const int Rounds = 3;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string repository, string[] names)
    {
        TorchBackend.LetIdleThreadsSleep();
        IBackend[] backends = [new OnnxBackend(new OnnxOptions { Log = Console.Error.WriteLine }), new TorchBackend(new TorchOptions { Log = Console.Error.WriteLine })];
        var options = new RepositoryOptions { Directories = [Path.GetFullPath(repository)], Mode = ModelControlMode.Explicit, LoadAtStart = names };
        await using var models = new ModelRepository(options, backends);
        foreach (var failed in await models.StartAsync(CancellationToken.None))
        {
            Console.Error.WriteLine($"{failed.Name}: {failed.Reason}");
            return 1;
        }

        Console.WriteLine("| model | best batch of the bare loop | bare rows/s | served rows/s | served of bare | 1 row: bare p50, served p50 | host overhead |\n|---|---|---|---|---|---|---|");
        foreach (var name in names)
        {
            if (models.TryAcquire(name, "", out var lease) is { } error)
            {
                Console.Error.WriteLine(error.Message);
                return 1;
            }

            using (lease)
            {
                if (!lease.Model.Config.IsBatching)
                {
                    Console.Error.WriteLine($"model '{name}' does not batch (max_batch_size is 0), so there is no batch to compare");
                    return 1;
                }

                var backend = backends.First(backend => backend.Name == lease.Model.Config.Backend);
                var version = lease.Model.Version.ToString(CultureInfo.InvariantCulture);
                using var bare = new BareInstance(backend, lease.Model.Config, Path.Combine(repository, name, version));
                Console.WriteLine(await CompareAsync(lease.Model, bare));
            }
        }

        return 0;
    }

    private static async Task<string> CompareAsync(Model model, BareInstance bare)
    {
        var best = BatchSizes(model.Config.MaxBatchSize).MaxBy(rows => bare.Rate(rows, Length / 4));
        var clients = Math.Max(4, 4 * best);
        var rounds = new List<(double Bare, double Served, double BareOne, double ServedOne)>();
        for (var round = 0; round <= Rounds; round++)
        {
            rounds.Add((bare.Rate(best, Length), (await Clients.RunAsync(model, clients, Length)).Rate, bare.Median(1, Length / 2), (await Clients.RunAsync(model, 1, Length)).P50));
        }

        rounds.RemoveAt(0); // warm-up
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {model.Name} | {best} | {Middle(rounds, r => r.Bare):F0} | {Middle(rounds, r => r.Served):F0} | {Middle(rounds, r => r.Served / r.Bare):P0} | {Middle(rounds, r => r.BareOne):F0}, {Middle(rounds, r => r.ServedOne):F0} µs | {Middle(rounds, r => r.ServedOne - r.BareOne):F0} µs |");
    }

    private static IEnumerable<int> BatchSizes(int most)
    {
        for (var rows = 1; rows < most; rows *= 2)
        {
            yield return rows;
        }

        yield return most;
    }

    private static double Middle<T>(List<T> rounds, Func<T, double> of) => rounds.Select(of).Order().ElementAt(rounds.Count / 2);
}

/// <summary>One instance of a model, called in a loop with the same zeros.</summary>
internal sealed class BareInstance : IDisposable
{
    private readonly ModelConfig _config;
    private readonly ILoadedModel _loaded;
    private readonly IModelInstance _instance;

    public BareInstance(IBackend backend, ModelConfig config, string versionDirectory)
    {
        _config = config;
        _loaded = backend.Load(config, versionDirectory);
        _instance = (IModelInstance)_loaded.CreateInstance(config, config.InstanceDevices[0]);
    }

    /// <summary>Rows a second in batches of so many.</summary>
    public double Rate(int rows, TimeSpan length)
    {
        var durations = Run(rows, length);
        return (long)rows * durations.Count * (double)Stopwatch.Frequency / durations.Sum();
    }

    /// <summary>The median duration of a batch in microseconds.</summary>
    public double Median(int rows, TimeSpan length)
    {
        var durations = Run(rows, length);
        return durations.Order().ElementAt(durations.Count / 2) * 1e6 / Stopwatch.Frequency;
    }

    /// <summary>Adds zeros for every input.</summary>
    public static void Fill(TensorSet inputs, ModelConfig config, int rows)
    {
        foreach (var input in config.Inputs)
        {
            long[] shape = [rows, .. input.Dims];
            inputs.Rent(input.Name, input.Type, shape, Shapes.ByteSize(input.Type, shape), out var memory);
            memory.Span.Clear();
        }
    }

    public void Dispose()
    {
        _instance.Dispose();
        _loaded.Dispose();
    }

    private List<long> Run(int rows, TimeSpan length)
    {
        using var inputs = new TensorSet();
        Fill(inputs, _config, rows);
        for (var i = 0; i < 3; i++)
        {
            _instance.Execute(inputs, CancellationToken.None).Dispose(); // what the first executions of a shape cost is no part of the rate
        }

        var durations = new List<long>(1 << 12);
        var end = Stopwatch.GetTimestamp() + (long)(length.TotalSeconds * Stopwatch.Frequency);
        for (var start = Stopwatch.GetTimestamp(); start < end || durations.Count == 0;)
        {
            _instance.Execute(inputs, CancellationToken.None).Dispose();
            var now = Stopwatch.GetTimestamp();
            durations.Add(now - start);
            start = now;
        }

        return durations;
    }
}
