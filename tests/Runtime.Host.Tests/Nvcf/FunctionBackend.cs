using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>Runs what the test says for each request, then answers its input.</summary>
internal sealed class FunctionBackend : IBackend, ILoadedModel, IAsyncInstance
{
    public string Name => "function";

    public ModelSignature? Signature => null;

    /// <summary>What a request's execution does with its context.</summary>
    public Func<RequestContext?, Task> Body { get; set; } = _ => Task.CompletedTask;

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => this;

    public IDisposable CreateInstance(ModelConfig config, Device device) => this;

    public async ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation)
    {
        var results = new AsyncResult[batch.Count];
        for (var i = 0; i < results.Length; i++)
        {
            await Body(batch[i].Request.Context);
            var input = batch[i].Inputs[0];
            var outputs = new TensorSet();
            outputs.Rent("Y", input.Type, input.Shape, input.Data.Length, out var memory);
            input.Data.CopyTo(memory);
            results[i] = new AsyncResult(outputs, null);
        }

        return results;
    }

    public void Dispose()
    {
    }
}
