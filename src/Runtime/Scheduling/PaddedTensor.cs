using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>Padding and cutting of one tensor: runs of elements that stay together, the same for BYTES and for elements of fixed size.</summary>
internal static class PaddedTensor
{
    /// <summary>The bytes that the tensor takes once it is padded.</summary>
    public static long ByteCount(Tensor tensor, PaddedInput input, long length)
    {
        var padding = tensor.Shape.ToArray();
        padding[input.Axis] = length - padding[input.Axis];
        return tensor.Data.Length + (Shapes.ElementCount(padding) * input.Element.Length);
    }

    /// <summary>Writes the tensor padded to that length, and returns how many bytes that took.</summary>
    public static int Write(Tensor tensor, PaddedInput input, long length, Span<byte> target)
    {
        var (outer, own, inner) = Extent(tensor.Shape, input.Axis);
        if (inner == 0 || length == 0)
        {
            return 0; // nothing to write, however large the outer dimensions are
        }

        var source = tensor.Data.Span;
        var padding = (int)((length - own) * inner * input.Element.Length);
        var written = 0;
        for (; outer > 0; outer--)
        {
            var run = Run(tensor.Type, source, own * inner);
            source[..run].CopyTo(target[written..]);
            source = source[run..];
            Fill(target.Slice(written + run, padding), input.Element);
            written += run + padding;
        }

        return written;
    }

    /// <summary>Adds a copy of the tensor of which only so much is left in that dimension.</summary>
    public static void AddCut(TensorSet set, Tensor tensor, int axis, long length)
    {
        var (outer, padded, inner) = Extent(tensor.Shape, axis);
        var shape = tensor.Shape.ToArray();
        shape[axis] = length;

        // Of BYTES only a walk tells how much is left; all of it is enough.
        var size = tensor.Type == DataType.Bytes ? tensor.Data.Length : Shapes.ByteSize(tensor.Type, shape);
        var added = set.Rent(tensor.Name, tensor.Type, shape, size, out var memory);
        var source = tensor.Data.Span;
        var target = memory.Span;
        var written = 0;
        for (; outer > 0 && !source.IsEmpty; outer--)
        {
            var kept = Run(tensor.Type, source, length * inner);
            source[..kept].CopyTo(target[written..]);
            written += kept;
            source = source[kept..];
            source = source[Run(tensor.Type, source, (padded - length) * inner)..];
        }

        set.Replace(set.Count - 1, added with { Data = memory[..written] });
    }

    private static (long Outer, long Length, long Inner) Extent(long[] shape, int axis)
        => (Shapes.ElementCount(shape.AsSpan(0, axis)), shape[axis], Shapes.ElementCount(shape.AsSpan(axis + 1)));

    /// <summary>The bytes of the first so many elements.</summary>
    private static int Run(DataType type, ReadOnlySpan<byte> data, long elements)
        => type == DataType.Bytes ? TensorSet.SkipElements(data, 0, elements) : (int)(elements * type.Size());

    private static void Fill(Span<byte> target, ReadOnlySpan<byte> element)
    {
        if (target.IsEmpty)
        {
            return;
        }

        // What is filled is copied behind itself, twice as much each time.
        element.CopyTo(target);
        for (var filled = element.Length; filled < target.Length; filled *= 2)
        {
            target[..Math.Min(filled, target.Length - filled)].CopyTo(target[filled..]);
        }
    }
}
