using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>The classification extension: instead of a tensor, its greatest values as <c>value:index[:label]</c>, greatest first.</summary>
internal static class Classification
{
    /// <summary>Adds to <paramref name="target"/> a BYTES tensor [classes], or [batch, classes] for a model that batches.</summary>
    /// <exception cref="InferenceException">The datatype has no order: BOOL, BYTES.</exception>
    public static void Add(TensorSet target, Tensor tensor, uint count, string[]? labels, bool isBatching)
    {
        var values = Values(tensor);
        var rows = isBatching && tensor.Shape.Length > 0 ? (int)tensor.Shape[0] : 1;
        var perRow = rows == 0 ? 0 : values.Length / rows;
        var classes = (int)Math.Min(count, (uint)perRow);
        using var text = new MemoryStream();
        var order = new int[perRow];
        for (var row = 0; row < rows; row++)
        {
            var slice = values.AsSpan(row * perRow, perRow);
            for (var i = 0; i < perRow; i++)
            {
                order[i] = i;
            }

            var keys = slice.ToArray();
            Array.Sort(keys, order, Comparer<double>.Create(static (a, b) => b.CompareTo(a)));
            StableTies(keys, order);
            for (var i = 0; i < classes; i++)
            {
                Append(text, Text(tensor, row * perRow + order[i]), order[i], labels);
            }
        }

        long[] shape = isBatching ? [rows, classes] : [classes];
        target.Rent(tensor.Name, DataType.Bytes, shape, text.Length, out var memory);
        text.GetBuffer().AsSpan(0, (int)text.Length).CopyTo(memory.Span);
    }

    /// <summary>Equal values keep the order of their indices, which the sort does not promise.</summary>
    private static void StableTies(double[] keys, int[] order)
    {
        for (var start = 0; start < keys.Length;)
        {
            var end = start + 1;
            while (end < keys.Length && keys[end].Equals(keys[start]))
            {
                end++;
            }

            Array.Sort(order, start, end - start);
            start = end;
        }
    }

    private static void Append(MemoryStream text, string value, int index, string[]? labels)
    {
        var entry = string.Create(CultureInfo.InvariantCulture, $"{value}:{index}");
        if (labels is not null && index < labels.Length && labels[index].Length > 0)
        {
            entry += ":" + labels[index];
        }

        var bytes = Encoding.UTF8.GetBytes(entry);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        text.Write(length);
        text.Write(bytes);
    }

    private static double[] Values(Tensor tensor)
    {
        var data = tensor.Data.Span;
        return tensor.Type switch
        {
            DataType.Uint8 => Convert(MemoryMarshal.Cast<byte, byte>(data), static x => x),
            DataType.Uint16 => Convert(MemoryMarshal.Cast<byte, ushort>(data), static x => x),
            DataType.Uint32 => Convert(MemoryMarshal.Cast<byte, uint>(data), static x => x),
            DataType.Uint64 => Convert(MemoryMarshal.Cast<byte, ulong>(data), static x => x),
            DataType.Int8 => Convert(MemoryMarshal.Cast<byte, sbyte>(data), static x => x),
            DataType.Int16 => Convert(MemoryMarshal.Cast<byte, short>(data), static x => x),
            DataType.Int32 => Convert(MemoryMarshal.Cast<byte, int>(data), static x => x),
            DataType.Int64 => Convert(MemoryMarshal.Cast<byte, long>(data), static x => x),
            DataType.Fp16 => Convert(MemoryMarshal.Cast<byte, Half>(data), static x => (double)x),
            DataType.Bf16 => Convert(MemoryMarshal.Cast<byte, ushort>(data), static x => BitConverter.UInt32BitsToSingle((uint)x << 16)),
            DataType.Fp32 => Convert(MemoryMarshal.Cast<byte, float>(data), static x => x),
            DataType.Fp64 => Convert(MemoryMarshal.Cast<byte, double>(data), static x => x),
            _ => throw new InferenceException(
                ErrorCode.InvalidArgument, $"class result not available for output '{tensor.Name}' due to unsupported type '{tensor.Type.Name()}'"),
        };
    }

    private static double[] Convert<T>(ReadOnlySpan<T> values, Func<T, double> convert)
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            result[i] = convert(values[i]);
        }

        return result;
    }

    private static string Text(Tensor tensor, int index)
    {
        var data = tensor.Data.Span;
        return tensor.Type switch
        {
            DataType.Int64 => MemoryMarshal.Cast<byte, long>(data)[index].ToString(CultureInfo.InvariantCulture),
            DataType.Uint64 => MemoryMarshal.Cast<byte, ulong>(data)[index].ToString(CultureInfo.InvariantCulture),
            DataType.Fp16 or DataType.Bf16 or DataType.Fp32 or DataType.Fp64 => Values(tensor with { Data = Element(tensor, index) })[0].ToString("F6", CultureInfo.InvariantCulture),
            _ => ((long)Values(tensor with { Data = Element(tensor, index) })[0]).ToString(CultureInfo.InvariantCulture),
        };
    }

    private static ReadOnlyMemory<byte> Element(Tensor tensor, int index) => tensor.Data.Slice(index * tensor.Type.Size(), tensor.Type.Size());
}
