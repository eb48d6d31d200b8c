using System.Buffers.Binary;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Tests.Models;

namespace Runtime.Tests.Scheduling;

/// <summary>For a function of single elements, padding must make no difference that a request can see.</summary>
public class PaddingPropertyTests
{
    private const int Rounds = 60;
    private const int Most = 12;
    private readonly Gate _gate = new();
    private volatile bool _holds;

    [Theory]
    [InlineData(DataType.Int8, 0, "")]
    [InlineData(DataType.Fp16, 1, "4,8")]
    [InlineData(DataType.Int32, 2, "3,5,7")]
    [InlineData(DataType.Int64, 1, "")]
    [InlineData(DataType.Bytes, 0, "4,8")]
    [InlineData(DataType.Bytes, 1, "")]
    [InlineData(DataType.Bytes, 2, "7")]
    public async Task InferAsync_AnyLengthsTogether_EachGetsWhatItWouldGetAlone(DataType type, int dimension, string buckets)
    {
        var random = new Random(dimension);
        var sent = 0;
        using var model = Make(type, dimension, buckets);
        for (var round = 0; round < Rounds; round++)
        {
            // The first request stands at the gate while the others gather behind it.
            _holds = true;
            var requests = Enumerable.Range(0, random.Next(2, Most)).Select(_ => Request(type, dimension, random)).ToArray();
            var responses = new List<Task<InferenceResponse>> { model.InferAsync(requests[0], default).AsTask() };
            await _gate.EnteredAsync();
            responses.AddRange(requests[1..].Select(request => model.InferAsync(request, default).AsTask()));
            sent += requests.Length;
            _gate.Open();
            foreach (var (request, response) in requests.Zip(await Task.WhenAll(responses)))
            {
                AssertAlone(request, response);
            }
        }

        Assert.True(model.Statistics.Snapshot().ExecutionCount < sent, "no two requests shared a batch");
    }

    private static void AssertAlone(InferenceRequest request, InferenceResponse response)
    {
        using (request)
        using (response)
        {
            Assert.Null(response.Error);
            using var alone = Invert(request.Inputs, default);
            Assert.Equal(alone[0].Shape, response.Outputs[0].Shape);
            Assert.Equal(alone[0].Data.ToArray(), response.Outputs[0].Data.ToArray());
        }
    }

    private Model Make(DataType type, int dimension, string buckets) => TestModels.Make(
        (inputs, cancellation) =>
        {
            if (_holds)
            {
                _holds = false;
                _gate.Pass(cancellation);
            }

            return Invert(inputs, cancellation);
        },
        message =>
        {
            message.Input[0].DataType = message.Output[0].DataType = ConfigDataTypes.To(type);
            message.Input[0].Dims.Clear();
            message.Input[0].Dims.Add([-1, -1, -1]);
            message.Output[0].Dims.Clear();
            message.Output[0].Dims.Add([-1, -1, -1]);
            message.DynamicBatching = new Protocol.ModelDynamicBatching();
            message.Parameters["pad.X.dim"] = message.Parameters["pad.Y.dim"] = new Protocol.ModelParameter { StringValue = $"{dimension}" };
            message.Parameters["pad.X.value"] = new Protocol.ModelParameter { StringValue = "17" };
            if (buckets.Length > 0)
            {
                message.Parameters["pad.buckets"] = new Protocol.ModelParameter { StringValue = buckets };
            }
        });

    /// <summary>Up to three rows, lengths from nothing to seven, and other dimensions that mostly agree.</summary>
    private static InferenceRequest Request(DataType type, int dimension, Random random)
    {
        long[] shape = [random.Next(1, 4), 2, 2, random.Next(8) == 0 ? 3 : 2];
        shape[dimension + 1] = random.Next(8);
        var data = new List<byte>();
        for (var i = 0; i < Shapes.ElementCount(shape); i++)
        {
            var element = new byte[type == DataType.Bytes ? random.Next(6) : type.Size()];
            random.NextBytes(element);
            if (type == DataType.Bytes)
            {
                data.AddRange(BitConverter.GetBytes(element.Length));
            }

            data.AddRange(element);
        }

        var request = new InferenceRequest();
        request.Inputs.Rent("X", type, shape, data.Count, out var memory);
        data.ToArray().CopyTo(memory);
        return request;
    }

    /// <summary>Y = X with every bit of every element the other way.</summary>
    private static TensorSet Invert(TensorSet inputs, CancellationToken cancellation)
    {
        var outputs = new TensorSet();
        outputs.Rent("Y", inputs[0].Type, inputs[0].Shape, inputs[0].Data.Length, out var memory);
        inputs[0].Data.CopyTo(memory);
        var data = memory.Span;
        while (!data.IsEmpty)
        {
            var isBytes = inputs[0].Type == DataType.Bytes;
            var element = isBytes ? data.Slice(4, BinaryPrimitives.ReadInt32LittleEndian(data)) : data[..1];
            foreach (ref var value in element)
            {
                value = (byte)~value;
            }

            data = data[(isBytes ? 4 + element.Length : 1)..];
        }

        return outputs;
    }
}
