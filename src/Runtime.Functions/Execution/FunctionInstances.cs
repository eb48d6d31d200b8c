using Runtime.Backends;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Functions.Execution;

/// <summary>A function that answers a request once.</summary>
internal sealed class AnsweringFunction(FunctionRun run, FunctionCalls calls) : IAsyncInstance
{
    public ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation) => calls.ExecuteAsync(batch, cancellation);

    public void Dispose() => run.Dispose();
}

/// <summary>A function that answers a request piece by piece.</summary>
internal sealed class StreamingFunction(FunctionRun run) : IStreamingInstance
{
    public IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, CancellationToken cancellation) => FunctionStream.ExecuteAsync(run, request, cancellation);

    public void Dispose() => run.Dispose();
}

/// <summary>A function that does either, as the client asks.</summary>
internal sealed class VersatileFunction(FunctionRun run, FunctionCalls calls) : IAsyncInstance, IStreamingInstance
{
    public ValueTask<AsyncResult[]> ExecuteAsync(IReadOnlyList<AsyncRequest> batch, CancellationToken cancellation) => calls.ExecuteAsync(batch, cancellation);

    public IAsyncEnumerable<TensorSet> ExecuteAsync(InferenceRequest request, CancellationToken cancellation) => FunctionStream.ExecuteAsync(run, request, cancellation);

    public void Dispose() => run.Dispose();
}
