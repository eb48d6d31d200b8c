using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>What a request that is nothing but one tensor's bytes must mean.</summary>
public static class RawInput
{
    /// <summary>The model's only input, whose shape may vary in one dimension, deduced from the byte count; BYTES are one element.</summary>
    public static InferenceError? TryDeduce(ModelConfig config, long byteCount, out TensorConfig? input, out long[] shape)
    {
        shape = [];
        input = config.Inputs.Count == 1 ? config.Inputs[0] : null;
        if (input is null)
        {
            return InferenceError.InvalidArgument(
                $"[request id: <id_unknown>] Raw request must only have 1 input (found 1) to be deduced but got {config.Inputs.Count} inputs in '{config.Name}' model configuration");
        }

        var dims = input.Type == DataType.Bytes ? [1] : input.Dims;
        var variable = dims.Count(dimension => dimension < 0);
        if (variable > 1)
        {
            return InferenceError.InvalidArgument(
                $"[request id: <id_unknown>] The shape of the raw input '{input.Name}' can not be deduced because there are more than one variable-sized dimensions: {Shapes.Text(dims)}");
        }

        var known = dims.Aggregate((long)Math.Max(1, input.Type.Size()), (size, dimension) => size * Math.Max(1, dimension));
        var filled = dims.Select(dimension => dimension < 0 ? byteCount / known : dimension);
        shape = config.IsBatching ? [1, .. filled] : [.. filled];
        return null;
    }
}
