using Runtime.Inference;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class OnnxPaddingTests : PoolTest
{
    private static readonly Dictionary<string, string[]> NoLabels = [];

    [Theory]
    [InlineData("")]
    [InlineData("4,16")]
    public async Task InferAsync_ManyLengthsAtOnce_EachGetsItsOwnBack(string buckets)
    {
        using var model = Load("identity_fp32", buckets);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            float[] values = [.. Enumerable.Range(i, i % 17).Select(value => (float)value)];
            using var request = new InferenceRequest();
            request.Inputs.With("IN", DataType.Fp32, [1, values.Length], values);
            using var response = await model.InferAsync(request, default);

            Assert.Null(response.Error);
            Assert.Equal([1, values.Length], response.Outputs[0].Shape);
            Assert.Equal(values, response.Outputs.Values<float>("OUT"));
        }));
    }

    [Fact]
    public async Task InferAsync_ManyTextsAtOnce_EachGetsItsOwnBack()
    {
        using var model = Load("identity_string", "4,16");

        await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            byte[][] texts = [.. Enumerable.Range(1, i % 17).Select(length => Enumerable.Repeat((byte)'a', length).ToArray())];
            using var request = new InferenceRequest();
            request.Inputs.With("IN", [1, texts.Length], texts);
            using var response = await model.InferAsync(request, default);

            Assert.Null(response.Error);
            Assert.Equal([1, texts.Length], response.Outputs[0].Shape);
            Assert.Equal(request.Inputs[0].Data.ToArray(), response.Outputs[0].Data.ToArray());
        }));
    }

    private static Model Load(string name, string buckets)
    {
        var loaded = new OnnxBackend().Load(TestModel.Configure(name), TestModel.Directory);
        var message = TestModel.Configure(name).Message;
        var type = ConfigDataTypes.To(loaded.Signature!.Inputs[0].Type);
        message.MaxBatchSize = 8;
        message.DynamicBatching = new Protocol.ModelDynamicBatching();
        message.Input.Add(new Protocol.ModelInput { Name = "IN", DataType = type, Dims = { -1 } });
        message.Output.Add(new Protocol.ModelOutput { Name = "OUT", DataType = type, Dims = { -1 } });
        message.Parameters["pad.IN.dim"] = message.Parameters["pad.OUT.dim"] = new Protocol.ModelParameter { StringValue = "0" };
        if (buckets.Length > 0)
        {
            message.Parameters["pad.buckets"] = new Protocol.ModelParameter { StringValue = buckets };
        }

        return new Model(ModelConfig.From(message), 1, loaded, NoLabels, TimeProvider.System);
    }
}
