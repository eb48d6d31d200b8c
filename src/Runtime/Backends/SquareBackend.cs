using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends;

/// <summary>Answers IN as many times as IN says.</summary>
public sealed class SquareBackend : IBackend
{
    public string Name => "square";

    public bool NeedsFiles => false;

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => new FilelessModel(static config =>
    {
        StreamingTensors.Require(config, [("IN", DataType.Int32)], [("OUT", DataType.Int32)]);
        return new Instance();
    });

    private sealed class Instance : IStreamingInstance
    {
        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            var value = MemoryMarshal.Read<int>(StreamingTensors.Get(request.Inputs, "IN").Data.Span);
            for (var i = 0; i < value; i++)
            {
                // Lets other requests of the thread go on between the responses of a long stream.
                await Task.Yield();
                cancellation.ThrowIfCancellationRequested();
                var response = new TensorSet(capacity: 1);
                response.Rent("OUT", DataType.Int32, [1], sizeof(int), out var output);
                MemoryMarshal.Write(output.Span, value);
                yield return response;
            }
        }

        public void Dispose()
        {
        }
    }
}
