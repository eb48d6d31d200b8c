using Runtime.Tensors;

namespace Runtime.Functions;

/// <summary>A request's inputs, or those of one of its rows where the model batches. Valid while the call that got them runs.</summary>
public sealed class Inputs : NamedValues
{
    internal Inputs(TensorSet set, int? row, FunctionRequest request)
        : base(set, "input", row) => Request = request;

    /// <summary>The request that they came with.</summary>
    public FunctionRequest Request { get; }
}
