using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>Writes a tensor's elements as JSON, with commas between them.</summary>
internal static class TensorJsonWriter
{
    private const int ElementsPerReservation = 1024;
    private const int MostBytesPerNumber = SingleText.Room;

    /// <exception cref="InferenceException">The tensor holds strings that are not UTF-8.</exception>
    public static void Write(JsonBuffer buffer, Tensor tensor)
    {
        var data = tensor.Data.Span;
        switch (tensor.Type)
        {
            case DataType.Bool:
                Write(buffer, data, static (value, target) => (value != 0 ? "true"u8 : "false"u8).TryCopyTo(target) ? value != 0 ? 4 : 5 : 0);
                break;
            case DataType.Uint8:
                WriteIntegers<byte>(buffer, data);
                break;
            case DataType.Uint16:
                WriteIntegers<ushort>(buffer, data);
                break;
            case DataType.Uint32:
                WriteIntegers<uint>(buffer, data);
                break;
            case DataType.Uint64:
                WriteIntegers<ulong>(buffer, data);
                break;
            case DataType.Int8:
                WriteIntegers<sbyte>(buffer, data);
                break;
            case DataType.Int16:
                WriteIntegers<short>(buffer, data);
                break;
            case DataType.Int32:
                WriteIntegers<int>(buffer, data);
                break;
            case DataType.Int64:
                WriteIntegers<long>(buffer, data);
                break;
            case DataType.Fp16:
                Write(buffer, MemoryMarshal.Cast<byte, Half>(data), static (value, target) => WriteHalf(value, target));
                break;
            case DataType.Bf16:
                Write(buffer, MemoryMarshal.Cast<byte, ushort>(data), static (value, target) => SingleText.Write(BitConverter.UInt32BitsToSingle((uint)value << 16), target));
                break;
            case DataType.Fp32:
                WriteSingles(buffer, MemoryMarshal.Cast<byte, float>(data));
                break;
            case DataType.Fp64:
                Write(buffer, MemoryMarshal.Cast<byte, double>(data), static (value, target) => WriteDouble(value, target));
                break;
            default:
                WriteStrings(buffer, tensor);
                break;
        }
    }

    private delegate int ElementWriter<T>(T value, Span<byte> target);

    private static void Write<T>(JsonBuffer buffer, ReadOnlySpan<T> values, ElementWriter<T> write)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var target = buffer.Reserve(MostBytesPerNumber + 1);
            var position = 0;
            if (i > 0)
            {
                target[position++] = (byte)',';
            }

            buffer.Advance(position + write(values[i], target[position..]));
        }
    }

    private static void WriteIntegers<T>(JsonBuffer buffer, ReadOnlySpan<byte> data)
        where T : unmanaged, IUtf8SpanFormattable
    {
        var values = MemoryMarshal.Cast<byte, T>(data);
        for (var start = 0; start < values.Length; start += ElementsPerReservation)
        {
            var part = values.Slice(start, Math.Min(ElementsPerReservation, values.Length - start));
            var target = buffer.Reserve(part.Length * 22);
            var position = 0;
            foreach (var value in part)
            {
                value.TryFormat(target[position..], out var written, default, CultureInfo.InvariantCulture);
                position += written;
                target[position++] = (byte)',';
            }

            buffer.Advance(position - (start + part.Length == values.Length ? 1 : 0));
        }
    }

    private static void WriteSingles(JsonBuffer buffer, ReadOnlySpan<float> values)
    {
        for (var start = 0; start < values.Length; start += ElementsPerReservation)
        {
            var part = values.Slice(start, Math.Min(ElementsPerReservation, values.Length - start));
            var target = buffer.Reserve((part.Length * (SingleText.MaxLength + 1)) + SingleText.Room);
            var position = 0;
            foreach (var value in part)
            {
                position += SingleText.Write(value, target[position..]);
                target[position++] = (byte)',';
            }

            buffer.Advance(position - (start + part.Length == values.Length ? 1 : 0));
        }
    }

    private static int WriteDouble(double value, Span<byte> target)
    {
        if (!double.IsFinite(value))
        {
            return SingleText.Write((float)value, target);
        }

        value.TryFormat(target, out var written, "R", CultureInfo.InvariantCulture);
        return KeepFraction(target, written);
    }

    private static int WriteHalf(Half value, Span<byte> target)
    {
        if (!Half.IsFinite(value))
        {
            return SingleText.Write((float)value, target);
        }

        value.TryFormat(target, out var written, "R", CultureInfo.InvariantCulture);
        return KeepFraction(target, written);
    }

    /// <summary>A whole number keeps a fraction of zero, so that clients see a floating-point number.</summary>
    private static int KeepFraction(Span<byte> target, int written)
    {
        if (target[..written].IndexOfAny(".E"u8) < 0)
        {
            ".0"u8.CopyTo(target[written..]);
            written += 2;
        }

        return written;
    }

    private static void WriteStrings(JsonBuffer buffer, Tensor tensor)
    {
        var data = tensor.Data.Span;
        for (var position = 0; position < data.Length;)
        {
            if (position > 0)
            {
                buffer.Write((byte)',');
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(data[position..]);
            if (!buffer.TryWriteString(data.Slice(position + 4, length)))
            {
                throw JsonCursor.Invalid(
                    $"output '{tensor.Name}' holds bytes that are not UTF-8 text and cannot be sent as JSON. Please use the binary data format (\"binary_data\": true) for this output");
            }

            position += 4 + length;
        }
    }
}
