using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Http;
using Runtime.Host.Options;
using Runtime.Host.SharedMemory;
using Runtime.Models;

namespace Runtime.Benchmarks;

/// <summary>One megabyte behind the JSON, read from a pipe of 4 KiB blocks as Kestrel has them.</summary>
[MemoryDiagnoser]
public class BinaryInferBenchmarks : ILoadedModel
{
    private readonly InferRequestReader _reader = new(new HostOptions(), new SharedMemoryRegions());
    private byte[] _body = [];
    private int _headerLength;
    private Model? _model;

    public ModelSignature? Signature => null;

    [Params(1 << 20)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var json = $$$"""{"inputs":[{"name":"INPUT0","shape":[1,{{{Bytes / 4}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{Bytes}}}}}]}""";
        _headerLength = json.Length;
        _body = [.. Encoding.UTF8.GetBytes(json), .. new byte[Bytes]];
        var message = new Protocol.ModelConfig { Name = "model", MaxBatchSize = 8 };
        message.Input.Add(new Protocol.ModelInput { Name = "INPUT0", DataType = Protocol.DataType.TypeFp32, Dims = { -1 } });
        _model = new Model(ModelConfig.From(message), 1, this, new Dictionary<string, string[]>(), TimeProvider.System);
    }

    [Benchmark]
    public async Task<int> Read()
    {
        var context = new DefaultHttpContext();
        context.Request.ContentLength = _body.Length;
        context.Request.Headers["Inference-Header-Content-Length"] = _headerLength.ToString(CultureInfo.InvariantCulture);
        context.Features.Set<IRequestBodyPipeFeature>(new BodyPipe(PipeReader.Create(new MemoryStream(_body), new StreamPipeReaderOptions(bufferSize: 4096))));
        using var call = await _reader.ReadAsync(context, _model!);
        return call.Request.Inputs[0].Data.Length;
    }

    [GlobalCleanup]
    public void Cleanup() => _model?.Dispose();

    public IDisposable CreateInstance(ModelConfig config, Device device) => new Instance();

    public void Dispose() => GC.SuppressFinalize(this);

    private sealed class BodyPipe(PipeReader reader) : IRequestBodyPipeFeature
    {
        public PipeReader Reader => reader;
    }

    private sealed class Instance : IModelInstance
    {
        public Tensors.TensorSet Execute(Tensors.TensorSet inputs, CancellationToken cancellation) => new();

        public void Dispose()
        {
        }
    }
}
