using System.Buffers.Binary;
using Microsoft.ML.OnnxRuntime;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// Between our BYTES (a length and the bytes, element after element) and ONNX Runtime's strings.
/// Bytes pass unread, broken UTF-8 too; an element ends at its first NUL, as it does in Triton's ONNX Runtime backend.
/// </summary>
internal static class StringTensors
{
    /// <summary>A new value of that shape, which the caller disposes.</summary>
    public static OrtValue Create(ReadOnlySpan<byte> data, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        try
        {
            for (var i = 0; data.Length > 0; i++)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(data);
                value.StringTensorSetElementAt(UntilNul(data.Slice(4, length)), i);
                data = data[(4 + length)..];
            }

            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }

    private static ReadOnlySpan<byte> UntilNul(ReadOnlySpan<byte> element)
    {
        var end = element.IndexOf((byte)0);
        return end < 0 ? element : element[..end];
    }

    /// <summary>Adds the strings to <paramref name="outputs"/>, in pooled memory.</summary>
    public static void Read(OrtValue value, string name, long[] shape, TensorSet outputs)
    {
        var count = checked((int)Shapes.ElementCount(shape));
        long bytes = 0;
        for (var i = 0; i < count; i++)
        {
            bytes += 4 + value.GetStringElementAsSpan(i).Length;
        }

        outputs.Rent(name, DataType.Bytes, shape, bytes, out var memory);
        var data = memory.Span;
        for (var i = 0; i < count; i++)
        {
            var element = value.GetStringElementAsSpan(i);
            BinaryPrimitives.WriteInt32LittleEndian(data, element.Length);
            element.CopyTo(data[4..]);
            data = data[(4 + element.Length)..];
        }
    }
}
