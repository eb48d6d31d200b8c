using Google.Protobuf;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

/// <summary>Random requests, valid on the wire but not always in meaning.</summary>
internal sealed class RandomMessages(int seed)
{
    private static readonly string[] DataTypes = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES", "NOPE"];

    private readonly Random _random = new(seed);

    public ModelInferRequest Request()
    {
        var request = new ModelInferRequest { ModelName = Text(), ModelVersion = Text(), Id = Text() };
        Repeat(4, () => request.Parameters[Text()] = Parameter());
        Repeat(4, () => request.Inputs.Add(Input()));
        Repeat(3, () => request.Outputs.Add(Output()));
        Repeat(4, () => request.RawInputContents.Add(ByteString.CopyFrom(Bytes(60))));
        return request;
    }

    public int Next(int limit) => _random.Next(limit);

    public InferTensorContents Contents()
    {
        var contents = new InferTensorContents();
        switch (_random.Next(8))
        {
            case 0:
                Repeat(9, () => contents.BoolContents.Add(_random.Next(2) == 1));
                break;
            case 1:
                Repeat(9, () => contents.IntContents.Add((int)_random.NextInt64(int.MinValue, 1L + int.MaxValue) >> _random.Next(32)));
                break;
            case 2:
                Repeat(9, () => contents.Int64Contents.Add(_random.NextInt64(long.MinValue, long.MaxValue) >> _random.Next(64)));
                break;
            case 3:
                Repeat(9, () => contents.UintContents.Add((uint)_random.NextInt64(1L + uint.MaxValue) >> _random.Next(32)));
                break;
            case 4:
                Repeat(9, () => contents.Uint64Contents.Add((ulong)_random.NextInt64(long.MinValue, long.MaxValue)));
                break;
            case 5:
                Repeat(9, () => contents.Fp32Contents.Add(_random.NextSingle()));
                break;
            case 6:
                Repeat(9, () => contents.Fp64Contents.Add(_random.NextDouble()));
                break;
            default:
                Repeat(9, () => contents.BytesContents.Add(ByteString.CopyFrom(Bytes(10))));
                break;
        }

        return contents;
    }

    private ModelInferRequest.Types.InferInputTensor Input()
    {
        var input = new ModelInferRequest.Types.InferInputTensor { Name = Text(), Datatype = DataTypes[_random.Next(DataTypes.Length)] };
        Repeat(12, () => input.Shape.Add(_random.NextInt64(-2, long.MaxValue) >> _random.Next(64)));
        Repeat(3, () => input.Parameters[Text()] = Parameter());
        input.Contents = _random.Next(2) == 0 ? Contents() : null;
        return input;
    }

    private ModelInferRequest.Types.InferRequestedOutputTensor Output()
    {
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = Text() };
        Repeat(3, () => output.Parameters[Text()] = Parameter());
        return output;
    }

    private InferParameter Parameter() => _random.Next(6) switch
    {
        0 => new InferParameter { BoolParam = _random.Next(2) == 0 },
        1 => new InferParameter { Int64Param = _random.NextInt64(long.MinValue, long.MaxValue) },
        2 => new InferParameter { StringParam = Text() },
        3 => new InferParameter { DoubleParam = _random.NextDouble() },
        4 => new InferParameter { Uint64Param = (ulong)_random.NextInt64(long.MinValue, long.MaxValue) },
        _ => new InferParameter(),
    };

    private string Text() => new([.. Enumerable.Range(0, _random.Next(8)).Select(_ => "abcXYZ019_é中"[_random.Next(12)])]);

    private byte[] Bytes(int most)
    {
        var bytes = new byte[_random.Next(most)];
        _random.NextBytes(bytes);
        return bytes;
    }

    private void Repeat(int most, Action action)
    {
        for (var count = _random.Next(most); count > 0; count--)
        {
            action();
        }
    }
}
