using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>A tensor as a model file declares it: the full shape, a batch dimension included, -1 where it varies.</summary>
public sealed record TensorSpec(string Name, DataType Type, long[] Shape);

/// <summary>The inputs and outputs that a model file declares, in its order.</summary>
public sealed record ModelSignature(IReadOnlyList<TensorSpec> Inputs, IReadOnlyList<TensorSpec> Outputs)
{
    /// <summary>Further inputs, for which the file has a value: a configuration may name them, as optional ones.</summary>
    public IReadOnlyList<TensorSpec> OptionalInputs { get; init; } = [];
}
