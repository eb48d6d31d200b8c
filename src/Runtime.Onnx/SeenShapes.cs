using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>Remembers by their hashes which shapes came lately; a clash costs nothing but a binding made early.</summary>
internal sealed class SeenShapes
{
    private readonly int[] _hashes = new int[16];
    private int _next;

    /// <summary>Whether inputs of these names and shapes came lately; from now on they did.</summary>
    public bool Add(TensorSet inputs)
    {
        var hash = new HashCode();
        foreach (var input in inputs.Tensors)
        {
            hash.Add(input.Name);
            foreach (var dimension in input.Shape)
            {
                hash.Add(dimension);
            }
        }

        var value = hash.ToHashCode();
        if (_hashes.AsSpan().Contains(value))
        {
            return true;
        }

        _hashes[_next] = value;
        _next = (_next + 1) % _hashes.Length;
        return false;
    }
}
