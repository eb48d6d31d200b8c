using System.Globalization;

namespace Runtime.Tensors;

/// <summary>One named tensor, row-major; BYTES as a 4-byte little-endian length and the bytes, element after element.</summary>
/// <remarks>The memory belongs to the <see cref="TensorSet"/> that holds the tensor and is valid until that is disposed.</remarks>
public sealed record Tensor(string Name, DataType Type, long[] Shape, ReadOnlyMemory<byte> Data)
{
    /// <summary>Elements, the product of the shape; 1 for a scalar.</summary>
    public long ElementCount => Shapes.ElementCount(Shape);
}

/// <summary>What is asked of shapes in several places.</summary>
public static class Shapes
{
    /// <summary>The product of the dimensions; -1 if it does not fit 63 bits or a dimension is negative.</summary>
    public static long ElementCount(ReadOnlySpan<long> shape)
    {
        ulong count = 1;
        var zero = false;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
            {
                return -1;
            }

            zero |= dimension == 0;
            if (Math.BigMul(count, dimension == 0 ? 1 : (ulong)dimension, out count) > 0 || count > long.MaxValue)
            {
                return -1;
            }
        }

        return zero ? 0 : (long)count;
    }

    /// <summary>The bytes of a tensor of fixed-size elements; -1 if they do not fit 63 bits.</summary>
    public static long ByteSize(DataType type, ReadOnlySpan<long> shape)
    {
        var count = ElementCount(shape);
        return count < 0 || count > long.MaxValue / Math.Max(1, type.Size()) ? -1 : count * type.Size();
    }

    /// <summary>A shape as messages show it: <c>[-1,16]</c>.</summary>
    public static string Text(ReadOnlySpan<long> shape)
    {
        var text = new System.Text.StringBuilder("[");
        for (var i = 0; i < shape.Length; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(shape[i].ToString(CultureInfo.InvariantCulture));
        }

        return text.Append(']').ToString();
    }
}
