using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

/// <summary>Short ways to write tensors down and to read them.</summary>
internal static class TestTensors
{
    public static TensorSet With<T>(this TensorSet set, string name, DataType type, long[] shape, params T[] values)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values.AsSpan());
        set.Rent(name, type, shape, bytes.Length, out var memory);
        bytes.CopyTo(memory.Span);
        return set;
    }

    public static TensorSet With(this TensorSet set, string name, long[] shape, params byte[][] elements)
    {
        var bytes = new List<byte>();
        foreach (var element in elements)
        {
            var length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, element.Length);
            bytes.AddRange(length);
            bytes.AddRange(element);
        }

        return set.With(name, DataType.Bytes, shape, [.. bytes]);
    }

    public static T[] Values<T>(this TensorSet set, string name)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(set.Find(name)!.Data.Span).ToArray();
}
