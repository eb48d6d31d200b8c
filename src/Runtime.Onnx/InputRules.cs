using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>What a set of inputs must be before its memory is handed to ONNX Runtime, which trusts sizes.</summary>
internal sealed class InputRules(OnnxModel model, ModelConfig config)
{
    private readonly Dictionary<string, OnnxTensor> _known = model.Inputs.Concat(model.Defaults).ToDictionary(input => input.Name);

    /// <summary>The declaration of an input of that name.</summary>
    public OnnxTensor this[string name] => _known[name];

    /// <exception cref="InferenceException">An input is missing, unknown, or not what its shape and the file say.</exception>
    public void Check(TensorSet inputs)
    {
        foreach (var input in inputs.Tensors)
        {
            Check(input);
        }

        foreach (var required in model.Inputs)
        {
            if (inputs.IndexOf(required.Name) < 0)
            {
                throw Invalid($"input '{required.Name}' of model '{config.Name}' was not given, and the model's file has no value for it");
            }
        }
    }

    /// <summary>The shape to hand on: scalars are one element in one dimension on the wire, where a shape must have dimensions.</summary>
    public long[] ShapeOf(Tensor input) => input.Shape is [1] && _known[input.Name].Shape.Length == 0 ? [] : input.Shape;

    private void Check(Tensor input)
    {
        if (!_known.TryGetValue(input.Name, out var known))
        {
            throw Invalid($"unexpected inference input '{input.Name}' for model '{config.Name}': its file has the inputs [{string.Join(", ", _known.Keys.Select(name => $"'{name}'"))}]");
        }

        if (input.Type != known.Type)
        {
            throw Invalid($"inference input '{input.Name}' for model '{config.Name}' must be {known.Type.Name()}, as its file says, got {input.Type.Name()}");
        }

        var expected = Shapes.ByteSize(input.Type, input.Shape);
        if (expected < 0 || (input.Type != DataType.Bytes && expected != input.Data.Length))
        {
            throw Invalid($"inference input '{input.Name}' for model '{config.Name}' of shape {Shapes.Text(input.Shape)} must have {expected} bytes, got {input.Data.Length}");
        }
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
