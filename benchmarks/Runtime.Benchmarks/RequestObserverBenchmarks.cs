using System.Diagnostics;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Logging;
using Runtime.Host.Options;
using Runtime.Host.Settings;
using Runtime.Host.Telemetry;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Benchmarks;

/// <summary>What watching a request costs it: a request to a model that does nothing, unwatched, logged, and traced.</summary>
[MemoryDiagnoser]
public class RequestObserverBenchmarks : ILoadedModel
{
    private readonly DefaultHttpContext _context = new() { Request = { Method = "POST", Headers = { ["traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" } } };
    private readonly LogOutput _output = new(Stream.Null);
    private RequestObserver _observer = RequestObserver.None;
    private ActivityListener? _listener;
    private Model? _model;

    public enum Watching
    {
        None,
        Log,
        UnsampledTrace,
        Trace,
    }

    [Params(Watching.None, Watching.Log, Watching.UnsampledTrace, Watching.Trace)]
    public Watching Kind { get; set; }

    public ModelSignature? Signature => null;

    [GlobalSetup]
    public void Setup()
    {
        var message = new Protocol.ModelConfig { Name = "simple" };
        message.Input.Add(new Protocol.ModelInput { Name = "X", DataType = Protocol.DataType.TypeInt32, Dims = { 16 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "X", DataType = Protocol.DataType.TypeInt32, Dims = { 16 } });
        _model = new Model(ModelConfig.From(message), 1, this, new Dictionary<string, string[]>(), TimeProvider.System);
        if (Kind == Watching.Log)
        {
            var loggers = LogProvider.CreateFactory(new LogSettings(new HostOptions { LogFormat = "json" }), _output, []);
            _observer = new RequestObserver(loggers.CreateLogger(RequestObserver.Category));
        }
        else if (Kind != Watching.None)
        {
            // The SDK's listener decides alike; what its queue takes is not in this.
            var decision = Kind == Watching.Trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData;
            _listener = new ActivityListener { ShouldListenTo = source => source == ModelTracing.Source, Sample = (ref ActivityCreationOptions<ActivityContext> _) => decision };
            ActivitySource.AddActivityListener(_listener);
        }
    }

    [Benchmark]
    public async Task<int> Infer()
    {
        using var request = new InferenceRequest();
        request.Inputs.Rent("X", DataType.Int32, [16], 64, out _);
        var record = _observer.IsActive ? RequestObserver.BeginHttp(_context, "infer", "/v2/models/{model}/infer") : null;
        record?.Begin(request, _model!);
        using var response = await _model!.InferAsync(request, default);
        if (record is not null)
        {
            record.Status = 200;
            _observer.End(record);
        }

        return response.Outputs.Count;
    }

    /// <summary>The door's part alone.</summary>
    [Benchmark]
    public object? Watch()
    {
        var record = _observer.IsActive ? RequestObserver.BeginHttp(_context, "infer", "/v2/models/{model}/infer") : null;
        if (record is not null)
        {
            record.Status = 200;
            _observer.End(record);
        }

        return record;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _listener?.Dispose();
        _model?.Dispose();
    }

    public void Dispose() => GC.SuppressFinalize(this);

    public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance();

    private sealed class Instance : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            var outputs = new TensorSet();
            outputs.Rent("X", inputs[0].Type, inputs[0].Shape, inputs[0].Data.Length, out _);
            return outputs;
        }

        public void Dispose()
        {
        }
    }
}
