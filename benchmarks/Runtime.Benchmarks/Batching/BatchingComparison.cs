using System.Diagnostics;
using System.Globalization;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;

namespace Runtime.Benchmarks.Batching;

/// <summary>
/// <c>batching REPOSITORY</c>: what the queue and the batcher cost below the socket, against a bare loop over ONNX Runtime
/// with full batches (model <c>cnn</c> of the repository, 32 clients), and against the ideal of a model that takes 200 µs
/// a batch (8 clients). Medians of five rounds, both sides in turn.
/// </summary>
internal static class BatchingComparison
{
    private const int Rounds = 5;
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string repository)
    {
        var options = new RepositoryOptions { Directories = [Path.GetFullPath(repository)], Mode = ModelControlMode.Explicit, LoadAtStart = ["cnn"] };
        await using var models = new ModelRepository(options, [new OnnxBackend(new OnnxOptions { IntraOpThreadCount = Environment.ProcessorCount, InterOpThreadCount = Environment.ProcessorCount })]);
        var failed = await models.StartAsync(CancellationToken.None);
        if (failed.Count > 0 || models.TryAcquire("cnn", "", out var lease) is not null)
        {
            Console.Error.WriteLine(failed.Count > 0 ? failed[0].Reason : "there is no model cnn");
            return 1;
        }

        using (lease)
        using (var bare = new BareLoop(Path.Combine(repository, "cnn", "1", "model.onnx"), lease.Model.Config.MaxBatchSize))
        {
            var rates = new List<(double Bare, double Served)>();
            for (var round = 0; round <= Rounds; round++)
            {
                rates.Add((bare.Run(Length), (await Clients.RunAsync(lease.Model, 32, Length)).Rate));
            }

            var measured = rates.Skip(1).ToArray(); // the first is warm-up
            Print("cnn, 32 clients", Median(measured.Select(rate => rate.Served)), Median(measured.Select(rate => rate.Bare)), Median(measured.Select(rate => rate.Served / rate.Bare)));
        }

        using var spinning = new Model(SpinModel.Config, 1, new SpinModel(), new Dictionary<string, string[]>(), TimeProvider.System);
        var runs = new List<(double Rate, double P50, double P99)>();
        for (var round = 0; round <= Rounds; round++)
        {
            runs.Add(await Clients.RunAsync(spinning, SpinModel.MaxBatchSize, Length));
        }

        var rate = Median(runs.Skip(1).Select(run => run.Rate));
        Print("200 µs a batch, 8 clients", rate, SpinModel.IdealRate, rate / SpinModel.IdealRate);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  p99 {Median(runs.Skip(1).Select(run => run.P99)):F0} µs"));
        return 0;
    }

    private static void Print(string name, double served, double ideal, double ratio)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {served:F0} rows/s of {ideal:F0}, {ratio:P0}"));

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}

/// <summary>A model that takes 200 µs for any batch up to eight rows.</summary>
internal sealed class SpinModel : ILoadedModel, IModelInstance
{
    public const int MaxBatchSize = 8;
    public const double IdealRate = MaxBatchSize / 200e-6;

    private static readonly long Cost = (long)(200e-6 * Stopwatch.Frequency);

    public static ModelConfig Config
    {
        get
        {
            var message = new Protocol.ModelConfig { Name = "spin", MaxBatchSize = MaxBatchSize, DynamicBatching = new Protocol.ModelDynamicBatching() };
            message.Input.Add(new Protocol.ModelInput { Name = "X", DataType = Protocol.DataType.TypeFp32, Dims = { 1 } });
            message.Output.Add(new Protocol.ModelOutput { Name = "Y", DataType = Protocol.DataType.TypeFp32, Dims = { 1 } });
            return ModelConfig.From(message);
        }
    }

    public ModelSignature? Signature => null;

    public IDisposable CreateInstance(ModelConfig config, Device device) => this;

    public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
    {
        var end = Stopwatch.GetTimestamp() + Cost;
        var outputs = new TensorSet();
        outputs.Rent("Y", DataType.Fp32, inputs[0].Shape, inputs[0].Data.Length, out var memory);
        inputs[0].Data.CopyTo(memory);
        while (Stopwatch.GetTimestamp() < end)
        {
        }

        return outputs;
    }

    public void Dispose()
    {
    }
}
