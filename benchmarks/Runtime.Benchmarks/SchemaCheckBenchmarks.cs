using BenchmarkDotNet.Attributes;
using Runtime.Inference;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Benchmarks;

/// <summary>A request of ten inputs, checked against its model's schema: in the shapes that the model wants, and in shapes that are replaced.</summary>
[MemoryDiagnoser]
public class SchemaCheckBenchmarks : IDisposable
{
    private static readonly DataType[] Types =
        [DataType.Bytes, DataType.Bytes, DataType.Fp32, DataType.Int32, DataType.Int64, DataType.Bool, DataType.Uint8, DataType.Fp64, DataType.Fp16, DataType.Bytes];

    private readonly InferenceRequest _request = new();
    private Tensor[] _sent = [];
    private SchemaValidator? _validator;

    /// <summary>The batch size of the model; with one, shapes without a row dimension get one.</summary>
    [Params(0, 8)]
    public int MaxBatchSize { get; set; }

    /// <summary>Whether the request names its inputs in the schema's order.</summary>
    [Params(true, false)]
    public bool InOrder { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var inputs = Types.Select((type, index) => new SchemaInput($"input_{index}", type, type == DataType.Bytes, index == 4 ? [16] : index == 9 ? [-1] : [1], index < 5)).ToArray();
        _validator = new SchemaValidator(new InputSchema { Source = "input_schema.py", Inputs = inputs }, "model", MaxBatchSize);
        foreach (var input in InOrder ? inputs : [.. inputs.Reverse()])
        {
            long[] shape = input.Shape[0] < 0 ? [4] : input.Shape;
            var count = Shapes.ElementCount(shape);
            _request.Inputs.Rent(new string(input.Name), input.Type, shape, count * (input.Type == DataType.Bytes ? 4 : input.Type.Size()), out var memory);
            memory.Span.Clear();
        }

        _sent = _request.Inputs.Tensors.ToArray();
        if (_validator.Check(_request) is { } error)
        {
            throw new InvalidOperationException(error.Message);
        }
    }

    /// <summary>All shapes are as they should be after the first check.</summary>
    [Benchmark]
    public InferenceError? Check() => _validator!.Check(_request);

    /// <summary>The shapes as they were sent.</summary>
    [Benchmark]
    public InferenceError? CheckAsSent()
    {
        for (var i = 0; i < _sent.Length; i++)
        {
            _request.Inputs.Replace(i, _sent[i]);
        }

        return _validator!.Check(_request);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _request.Dispose();
        GC.SuppressFinalize(this);
    }
}
