using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions;

/// <summary>
/// What another model answered. The request that it was made for disposes it when it is answered; dispose it sooner where
/// many are made, but not before outputs that show its tensors have been taken.
/// </summary>
public sealed class ModelOutputs : NamedValues, IDisposable
{
    private readonly InferenceResponse _response;
    private readonly IDisposable? _call;
    private readonly FunctionRequest? _owner;
    private int _isDisposed;

    /// <param name="response">The response, which is disposed with this.</param>
    /// <param name="call">What must outlive it; null where something else sees to that.</param>
    /// <param name="owner">The request that it was made for.</param>
    internal ModelOutputs(InferenceResponse response, IDisposable? call, FunctionRequest? owner)
        : base(response.Outputs, "output", null)
    {
        (_response, _call, _owner) = (response, call, owner);
        owner?.Own(this);
    }

    /// <summary>The version that answered.</summary>
    public long ModelVersion => _response.ModelVersion;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Release();
            _owner?.Disown(this);
            _response.Dispose();
            _call?.Dispose();
        }
    }
}

/// <summary>A request to another model, and the lease on that model. Disposed once nothing of the answer is needed any more.</summary>
internal sealed class ModelCall(InferenceRequest request, ModelLease lease, ModelSlot slot) : IDisposable
{
    public InferenceRequest Request { get; } = request;

    public Model Model => lease.Model;

    public void Dispose()
    {
        Request.Dispose();
        slot.Dispose();
        lease.Dispose();
    }
}
