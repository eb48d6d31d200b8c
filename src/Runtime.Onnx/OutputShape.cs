using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// What an output's shape will be for given inputs, where the file declares it: fixed dimensions, dimensions that bear the
/// name of an input's dimension, and the batch's. Only an expectation, as nothing makes a file keep what it declares.
/// </summary>
internal sealed class OutputShape
{
    private readonly long[] _dimensions;
    private readonly (string Input, int Dimension)[] _sources;

    private OutputShape(long[] dimensions, (string Input, int Dimension)[] sources) => (_dimensions, _sources) = (dimensions, sources);

    /// <summary>Null where the shape cannot be told beforehand.</summary>
    public static OutputShape? From(OnnxTensor output, OnnxTensor[] inputs, bool isBatching)
    {
        if (output.Type == DataType.Bytes)
        {
            return null;
        }

        var sources = new (string Input, int Dimension)[output.Shape.Length];
        for (var i = 0; i < sources.Length; i++)
        {
            if (output.Shape[i] < 0 && !TryFindSource(output.Symbols[i], isBatching && i == 0, inputs, out sources[i]))
            {
                return null;
            }
        }

        return new OutputShape(output.Shape, sources);
    }

    /// <summary>The shape for these inputs; null where the one that decides it was not given.</summary>
    public long[]? For(TensorSet inputs)
    {
        var shape = (long[])_dimensions.Clone();
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] >= 0)
            {
                continue;
            }

            var (name, dimension) = _sources[i];
            var input = inputs.Find(name);
            if (input is null || dimension >= input.Shape.Length)
            {
                return null;
            }

            shape[i] = input.Shape[dimension];
        }

        return shape;
    }

    private static bool TryFindSource(string symbol, bool isBatch, OnnxTensor[] inputs, out (string Input, int Dimension) source)
    {
        foreach (var input in inputs)
        {
            var dimension = symbol.Length == 0 ? -1 : Array.IndexOf(input.Symbols, symbol);
            if (dimension < 0 && isBatch && input.Shape.Length > 0)
            {
                dimension = 0;
            }

            if (dimension >= 0)
            {
                source = (input.Name, dimension);
                return true;
            }
        }

        source = default;
        return false;
    }
}
