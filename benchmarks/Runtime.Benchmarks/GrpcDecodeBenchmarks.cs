using System.Buffers;
using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using Runtime.Backends;
using Runtime.Host.Grpc;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Protocol;
using Runtime.Tensors;
using DataType = Runtime.Tensors.DataType;

namespace Runtime.Benchmarks;

/// <summary>A ModelInferRequest from bytes to tensors and a response back, against the generated messages; small (two rows of 16 INT32) and 1 MB.</summary>
[MemoryDiagnoser]
public class GrpcDecodeBenchmarks : IDisposable
{
    private static readonly SharedMemoryRegions Regions = new(allowed: false);

    private readonly InferRequestBuilder _builder = new(Regions);
    private readonly ArrayBufferWriter<byte> _target = new(2 << 20);
    private ReadOnlySequence<byte> _frame;
    private Model _model = null!;
    private TensorSet _outputs = null!;
    private InferReply _reply = null!;

    [Params(64, 1 << 20)]
    public int TensorBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        string[] inputs = TensorBytes > 64 ? ["INPUT0"] : ["INPUT0", "INPUT1"];
        var config = new Protocol.ModelConfig { Name = "simple", Backend = "identity", MaxBatchSize = 8 };
        var request = new ModelInferRequest { ModelName = "simple" };
        _outputs = new TensorSet();
        foreach (var name in inputs)
        {
            config.Input.Add(new ModelInput { Name = name, DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
            config.Output.Add(new ModelOutput { Name = name.Replace("IN", "OUT", StringComparison.Ordinal), DataType = Protocol.DataType.TypeInt32, Dims = { -1 } });
            request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = name, Datatype = "INT32", Shape = { 1, TensorBytes / 4 } });
            request.RawInputContents.Add(ByteString.CopyFrom(new byte[TensorBytes]));
            _outputs.Rent(config.Output[^1].Name, DataType.Int32, [1, TensorBytes / 4], TensorBytes, out _);
        }

        _frame = new ReadOnlySequence<byte>(request.ToByteArray());
        var complete = Models.ModelConfig.From(config);
        _model = new Model(complete, 1, new IdentityBackend().Load(complete, ""), new Dictionary<string, string[]>(), TimeProvider.System);
        _reply = new InferReply { ModelName = "simple", ModelVersion = 1, Outputs = _outputs };
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _outputs?.Dispose();
        _model?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public int Decode()
    {
        using var request = _builder.Build(InferRequestDecoder.Decode(_frame), _model, out _);
        return request.Inputs.Count;
    }

    [Benchmark]
    public int DecodeWithGeneratedParser() => ModelInferRequest.Parser.ParseFrom(_frame).Inputs.Count;

    [Benchmark]
    public int Encode()
    {
        _target.ResetWrittenCount();
        var size = (int)InferResponseEncoder.Size(_reply);
        InferResponseEncoder.Write(_target.GetSpan(size), _reply);
        _target.Advance(size);
        return _target.WrittenCount;
    }
}
