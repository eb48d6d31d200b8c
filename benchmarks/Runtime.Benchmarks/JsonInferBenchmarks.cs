using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Benchmarks;

/// <summary>One tensor as JSON, read into a request and written from a response.</summary>
[MemoryDiagnoser]
public class JsonInferBenchmarks : IDisposable
{
    private byte[] _json = [];
    private InferContext _context;
    private InferenceResponse? _response;
    private readonly InferCall _call = new();
    private readonly JsonBuffer _buffer = new(1024);

    [Params(16, 1024, 150_528)]
    public int Elements { get; set; }

    /// <summary>FP32 with short numbers, with 17 digits as Python writes floats that were doubles, and INT32.</summary>
    [Params("FP32", "FP32 wide", "INT32")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var type = Kind.StartsWith("FP32", StringComparison.Ordinal) ? DataType.Fp32 : DataType.Int32;
        var random = new Random(1);
        var values = Enumerable.Range(0, Elements).Select(_ => Kind switch
        {
            "FP32" => random.NextSingle().ToString("R", CultureInfo.InvariantCulture),
            "INT32" => random.Next(0, 1000).ToString(CultureInfo.InvariantCulture),
            _ => ((double)random.NextSingle()).ToString("R", CultureInfo.InvariantCulture),
        });
        _json = Encoding.UTF8.GetBytes($$"""{"inputs":[{"name":"INPUT0","shape":[1,{{Elements}}],"datatype":"{{type.Name()}}","data":[{{string.Join(',', values)}}]}]}""");
        var message = new Protocol.ModelConfig { Name = "model", MaxBatchSize = 8 };
        message.Input.Add(new Protocol.ModelInput { Name = "INPUT0", DataType = ConfigDataTypes.To(type), Dims = { -1 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "OUTPUT0", DataType = ConfigDataTypes.To(type), Dims = { -1 } });
        _context = new InferContext(ModelConfig.From(message), new SharedMemoryRegions(), 64 << 20, false);
        using var call = new InferCall();
        InferJson.Read(_json, _context, call);
        var outputs = new TensorSet();
        outputs.Rent("OUTPUT0", type, [1, Elements], call.Request.Inputs[0].Data.Length, out var memory);
        call.Request.Inputs[0].Data.CopyTo(memory);
        _response = new InferenceResponse("model", 1, "", outputs);
    }

    [Benchmark]
    public int Read()
    {
        using var call = new InferCall();
        InferJson.Read(_json, _context, call);
        return call.Request.Inputs.Count;
    }

    [Benchmark]
    public int Write()
    {
        _buffer.Clear();
        InferResponseJson.Write(_buffer, _response!, _call, false);
        return _buffer.Length;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _response?.Dispose();
        _call.Dispose();
        _buffer.Dispose();
        GC.SuppressFinalize(this);
    }
}
