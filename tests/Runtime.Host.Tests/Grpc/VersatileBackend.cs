using System.Runtime.CompilerServices;
using Runtime.Backends;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Grpc;

/// <summary>Both answers once, with all of X as Y, and streams, each element of X by itself; as a function may.</summary>
internal sealed class VersatileBackend : IBackend
{
    public string Name => "versatile";

    public bool NeedsFiles => false;

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => new FilelessModel(static _ => new Instance());

    private sealed class Instance : IAsyncInstance, IStreamingInstance
    {
        public ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
            => ValueTask.FromResult<AsyncResult[]>([.. batch.Select(request => new AsyncResult(Copy(request.Inputs[0], 0, (int)request.Inputs[0].ElementCount), null))]);

        public async IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            for (var i = 0; i < request.Inputs[0].ElementCount; i++)
            {
                await Task.Yield();
                yield return Copy(request.Inputs[0], i, 1);
            }
        }

        public void Dispose()
        {
        }

        private static TensorSet Copy(Tensor input, int first, int count)
        {
            var outputs = new TensorSet();
            outputs.Rent("Y", input.Type, [count], count * sizeof(int), out var memory);
            input.Data.Slice(first * sizeof(int), count * sizeof(int)).CopyTo(memory);
            return outputs;
        }
    }
}
