using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>One configured output of a model.</summary>
internal sealed class OnnxOutput
{
    private readonly OutputShape? _expected;
    private readonly bool _hasDimension;

    public OnnxOutput(OnnxTensor tensor, TensorConfig configured, OnnxModel model, bool isBatching)
    {
        Tensor = tensor;
        IsInput = model.Inputs.Concat(model.Defaults).Any(input => input.Name == tensor.Name);

        // An input that is an output too is never written to memory bound for the output.
        _expected = IsInput ? null : OutputShape.From(tensor, model.Inputs, isBatching);
        _hasDimension = configured.ModelShape(isBatching).Length == 1;
    }

    public OnnxTensor Tensor { get; }

    /// <summary>Whether the file passes an input through, so that its memory is the input's.</summary>
    public bool IsInput { get; }

    /// <summary>The shape that clients see: scalars are one element in one dimension where the configuration, whose shapes must have dimensions, says so.</summary>
    public long[] Shown(long[] shape) => shape.Length == 0 && _hasDimension ? [1] : shape;

    /// <summary>The shapes that outputs will have for these inputs; null when one of them cannot be told.</summary>
    public static BoundTensor[]? Expect(OnnxOutput[] outputs, TensorSet inputs)
    {
        var bound = new BoundTensor[outputs.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            if (outputs[i]._expected?.For(inputs) is not { } shape)
            {
                return null;
            }

            bound[i] = new BoundTensor(outputs[i].Tensor, shape, outputs[i].Shown(shape));
        }

        return bound;
    }
}
