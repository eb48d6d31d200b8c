using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Torch;

/// <summary>The smallest inputs that a configuration allows: one row, 1 for each variable dimension, zeros, and empty strings.</summary>
internal static class ZeroInputs
{
    public static TensorSet Create(ModelConfig config)
    {
        var inputs = new TensorSet(capacity: config.Inputs.Count);
        foreach (var input in config.Inputs.Where(input => !input.Optional))
        {
            var shape = Array.ConvertAll(input.ModelShape(config.IsBatching), dimension => Math.Max(1, dimension));

            // An empty string is the four bytes of its length.
            var size = Shapes.ElementCount(shape) * (input.Type == DataType.Bytes ? sizeof(int) : input.Type.Size());
            inputs.Rent(input.Name, input.Type, shape, size, out var memory);
            memory.Span.Clear();
        }

        return inputs;
    }
}
