using System.Runtime.CompilerServices;
using Google.Protobuf;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Http;

/// <summary>A model whose outputs repeat its inputs, by position.</summary>
internal sealed class EchoModel(bool isDecoupled = false) : ILoadedModel
{
    public ModelSignature? Signature => null;

    /// <summary>A model of that configuration; the text is the message's JSON.</summary>
    public static Model Create(string config)
    {
        var message = JsonParser.Default.Parse<Protocol.ModelConfig>(config);
        var decoupled = message.ModelTransactionPolicy?.Decoupled ?? false;
        return new Model(ModelConfig.From(message), 1, new EchoModel(decoupled), new Dictionary<string, string[]>(), TimeProvider.System);
    }

    /// <summary>A model of inputs INPUT0, INPUT1, … and as many outputs, of one datatype and any length.</summary>
    public static Model Create(DataType type, int tensors = 1, int maxBatchSize = 0)
    {
        var parts = Enumerable.Range(0, tensors).Select(i => (Input: Tensor($"INPUT{i}", type), Output: Tensor($"OUTPUT{i}", type))).ToArray();
        return Create($$"""
            {"name": "echo", "maxBatchSize": {{maxBatchSize}}, "input": [{{string.Join(',', parts.Select(part => part.Input))}}], "output": [{{string.Join(',', parts.Select(part => part.Output))}}]}
            """);
    }

    public IDisposable CreateInstance(ModelConfig config, Device device) => isDecoupled ? new StreamingInstance(config) : new Instance(config);

    public void Dispose()
    {
    }

    private static string Tensor(string name, DataType type) => $$"""{"name": "{{name}}", "dataType": "{{type.ConfigName()}}", "dims": [-1]}""";

    private static TensorSet Echo(TensorSet inputs, ModelConfig config)
    {
        var outputs = new TensorSet();
        for (var i = 0; i < inputs.Count; i++)
        {
            var input = inputs[i];
            outputs.Rent(config.Outputs[i].Name, input.Type, input.Shape, input.Data.Length, out var memory);
            input.Data.CopyTo(memory);
        }

        return outputs;
    }

    private sealed class Instance(ModelConfig config) : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation) => Echo(inputs, config);

        public void Dispose()
        {
        }
    }

    /// <summary>Answers each element of the first input by itself, then fails if the last of them is negative.</summary>
    private sealed class StreamingInstance(ModelConfig config) : IStreamingInstance
    {
        public async IAsyncEnumerable<TensorSet> ExecuteAsync(Inference.InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var input = request.Inputs[0];
            for (var i = 0; i < (int)input.ElementCount; i++)
            {
                await Task.Yield();
                var element = input.Data.Slice(i * input.Type.Size(), input.Type.Size());
                if (element.Span[^1] >= 0x80)
                {
                    throw new Inference.InferenceException(Inference.ErrorCode.Internal, "negative element");
                }

                var outputs = new TensorSet();
                outputs.Rent(config.Outputs[0].Name, input.Type, [1], element.Length, out var memory);
                element.CopyTo(memory);
                yield return outputs;
            }
        }

        public void Dispose()
        {
        }
    }
}
