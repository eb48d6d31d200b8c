using System.Diagnostics;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Benchmarks;

/// <summary>
/// Queue and batcher below the socket, against their ideals: <c>dotnet run -c Release --project benchmarks/Runtime.Benchmarks -- queue</c>.
/// A model costs 200 µs a batch of up to 8, whatever its rows; 8 clients send one row each, and the next when it is answered.
/// </summary>
internal static class QueueLoad
{
    private const int Rows = 8;
    private const int Clients = 8;
    private const double CostMicroseconds = 200;
    private const int Repeats = 5;

    public static async Task RunAsync()
    {
        // Without a delay the clients settle into two groups that take turns; one longer than the execution brings them together.
        await LoadAsync(delayMicroseconds: 0, synchronous: false);
        await LoadAsync(delayMicroseconds: 500, synchronous: false);
        await LoadAsync(delayMicroseconds: 0, synchronous: true);
        await LoadAsync(delayMicroseconds: 500, synchronous: true);
        foreach (var delay in (ulong[])[100, 500, 1500, 5000, 20000])
        {
            await DelayAsync(delay);
        }

        await IdleAsync(instances: 1, delayMicroseconds: 500);
        await IdleAsync(instances: 4, delayMicroseconds: 500);
    }

    private static async Task LoadAsync(ulong delayMicroseconds, bool synchronous)
    {
        Console.WriteLine(synchronous ? "clients that go on on the instance's thread" : "clients that go on on the thread pool");
        Console.WriteLine($"{$"{delayMicroseconds} µs",-8}{"rate/s",10}{"of ideal",10}{"mean batch",12}{"p50 µs",10}{"p99 µs",10}");
        var results = new List<LoadResult>();
        for (var i = 0; i <= Repeats; i++)
        {
            results.Add(await LoadAsync(TimeSpan.FromSeconds(2), delayMicroseconds, synchronous));
        }

        results.RemoveAt(0); // to warm up
        var ideal = Rows / CostMicroseconds * 1e6;
        var rows = results.Select(result => ("run", result)).Append(("median", Median(results)));
        foreach (var (name, result) in rows)
        {
            Console.WriteLine($"{name,-8}{result.Rate,10:F0}{result.Rate / ideal,10:P0}{result.MeanBatch,12:F2}{result.P50,10:F0}{result.P99,10:F0}");
        }
    }

    private static LoadResult Median(List<LoadResult> results) => new(
        Middle(results.Select(result => result.Rate)),
        Middle(results.Select(result => result.MeanBatch)),
        Middle(results.Select(result => result.P50)),
        Middle(results.Select(result => result.P99)));

    private static double Middle(IEnumerable<double> values) => values.Order().ElementAt(Repeats / 2);

    private static async Task<LoadResult> LoadAsync(TimeSpan duration, ulong delayMicroseconds, bool synchronous)
    {
        using var model = Make(CostMicroseconds, delayMicroseconds, instances: 1);
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var start = Stopwatch.GetTimestamp();
        var latencies = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => ClientAsync(model, end, synchronous))));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var all = latencies.SelectMany(client => client).Order().ToArray();
        var counts = model.Statistics.Snapshot();
        return new LoadResult(all.Length / seconds, (double)counts.InferenceCount / counts.ExecutionCount, all[all.Length / 2], all[all.Length * 99 / 100]);
    }

    private static async Task<List<double>> ClientAsync(Model model, long end, bool synchronous)
    {
        var latencies = new List<double>(1 << 17);
        for (var start = Stopwatch.GetTimestamp(); start < end;)
        {
            await SendAsync(model, synchronous);
            var now = Stopwatch.GetTimestamp();
            latencies.Add(Stopwatch.GetElapsedTime(start, now).TotalMicroseconds);
            start = now;
        }

        await Task.Yield(); // whoever ends the model must not do it on the model's thread
        return latencies;
    }

    /// <summary>How much longer than the configured delay a lonely request waits for company.</summary>
    private static async Task DelayAsync(ulong delayMicroseconds)
    {
        using var model = Make(0, delayMicroseconds, instances: 2);
        var errors = new List<double>();
        for (var i = 0; i < 300; i++)
        {
            var before = model.Statistics.Snapshot().Queue.Nanoseconds;
            await SendAsync(model);
            errors.Add((model.Statistics.Snapshot().Queue.Nanoseconds - before) / 1000.0 - delayMicroseconds);
        }

        errors.Sort();
        Console.WriteLine($"delay of {delayMicroseconds,5} µs: error p50 {errors[150]:F0} µs, p95 {errors[285]:F0} µs, p99 {errors[297]:F0} µs");
    }

    private static async Task IdleAsync(int instances, ulong delayMicroseconds)
    {
        using var model = Make(0, delayMicroseconds, instances);
        await SendAsync(model);
        using var process = Process.GetCurrentProcess();
        var start = process.TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(3));
        process.Refresh();
        Console.WriteLine($"idle, {instances} instances: {(process.TotalProcessorTime - start).TotalMilliseconds / 3000:P2} of a core");
    }

    private static async Task SendAsync(Model model, bool synchronous = false)
    {
        using var request = new InferenceRequest { AllowSynchronousContinuations = synchronous };
        request.Inputs.Rent("X", DataType.Int32, [1, 1], 4, out _);
        using var response = await model.InferAsync(request, CancellationToken.None);
        if (response.Error is not null)
        {
            throw new InvalidOperationException(response.Error.Message);
        }
    }

    private static Model Make(double costMicroseconds, ulong delayMicroseconds, int instances)
    {
        var message = new Protocol.ModelConfig
        {
            Name = "spin",
            MaxBatchSize = Rows,
            DynamicBatching = new Protocol.ModelDynamicBatching { MaxQueueDelayMicroseconds = delayMicroseconds },
        };
        message.Input.Add(new Protocol.ModelInput { Name = "X", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "X", DataType = Protocol.DataType.TypeInt32, Dims = { 1 } });
        message.InstanceGroup.Add(new Protocol.ModelInstanceGroup { Count = instances });
        return new Model(ModelConfig.From(message), 1, new SpinModel(costMicroseconds), new Dictionary<string, string[]>(), TimeProvider.System);
    }

    private sealed record LoadResult(double Rate, double MeanBatch, double P50, double P99);

    private sealed class SpinModel(double costMicroseconds) : ILoadedModel
    {
        public ModelSignature? Signature => null;

        public IDisposable CreateInstance(ModelConfig config, Device device) => new SpinInstance(costMicroseconds);

        public void Dispose()
        {
        }
    }

    private sealed class SpinInstance(double costMicroseconds) : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var start = Stopwatch.GetTimestamp();
            var outputs = new TensorSet();
            outputs.Rent("X", DataType.Int32, inputs[0].Shape, inputs[0].Data.Length, out var memory);
            inputs[0].Data.CopyTo(memory);
            while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < costMicroseconds)
            {
                Thread.SpinWait(5);
            }

            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
