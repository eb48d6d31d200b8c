using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Runtime.Tensors;

namespace Runtime.Functions.Conversion;

/// <summary>Between a tensor's bytes and C#'s types.</summary>
internal static class Elements
{
    /// <summary>Digits that a type holds, and whether it has a sign and a fraction.</summary>
    private readonly record struct Number(int Bits, bool IsSigned, bool IsFloat);

    private static readonly (Type Clr, DataType Type, Number Number)[] Numbers =
    [
        (typeof(byte), DataType.Uint8, new(8, false, false)),
        (typeof(ushort), DataType.Uint16, new(16, false, false)),
        (typeof(uint), DataType.Uint32, new(32, false, false)),
        (typeof(ulong), DataType.Uint64, new(64, false, false)),
        (typeof(sbyte), DataType.Int8, new(7, true, false)),
        (typeof(short), DataType.Int16, new(15, true, false)),
        (typeof(int), DataType.Int32, new(31, true, false)),
        (typeof(long), DataType.Int64, new(63, true, false)),
        (typeof(Half), DataType.Fp16, new(11, true, true)),
        (typeof(float), DataType.Fp32, new(24, true, true)),
        (typeof(double), DataType.Fp64, new(53, true, true)),
    ];

    /// <summary>The datatype whose elements are that type in memory; null where there is none.</summary>
    public static DataType? TypeOf(Type type)
    {
        if (type == typeof(bool))
        {
            return DataType.Bool;
        }

        var index = Array.FindIndex(Numbers, number => number.Clr == type);
        return index < 0 ? null : Numbers[index].Type;
    }

    /// <summary>The elements, if <typeparamref name="T"/> holds every value of the datatype.</summary>
    public static bool TryRead<T>(DataType type, ReadOnlySpan<byte> data, int count, [NotNullWhen(true)] out T[]? values)
    {
        values = null;
        if (typeof(T) == typeof(string) || typeof(T) == typeof(byte[]))
        {
            values = type == DataType.Bytes ? Decode<T>(data, count) : null;
            return values is not null;
        }

        if (typeof(T) == typeof(bool) ? type != DataType.Bool : !Holds(typeof(T), type))
        {
            return false;
        }

        values = new T[count];
        Read(type, data, values.AsSpan());
        return true;
    }

    /// <summary>Texts as elements of BYTES.</summary>
    public static byte[] Encode(IReadOnlyList<string> texts)
    {
        var size = 0;
        for (var i = 0; i < texts.Count; i++)
        {
            size += sizeof(int) + Encoding.UTF8.GetByteCount(texts[i]);
        }

        var bytes = new byte[size];
        var rest = bytes.AsSpan();
        for (var i = 0; i < texts.Count; i++)
        {
            var length = Encoding.UTF8.GetBytes(texts[i], rest[sizeof(int)..]);
            BinaryPrimitives.WriteInt32LittleEndian(rest, length);
            rest = rest[(sizeof(int) + length)..];
        }

        return bytes;
    }

    /// <summary>Byte strings as elements of BYTES.</summary>
    public static byte[] Encode(IReadOnlyList<byte[]> elements)
    {
        var bytes = new byte[elements.Sum(element => sizeof(int) + element.Length)];
        var rest = bytes.AsSpan();
        foreach (var element in elements)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, element.Length);
            element.CopyTo(rest[sizeof(int)..]);
            rest = rest[(sizeof(int) + element.Length)..];
        }

        return bytes;
    }

    /// <summary>How many elements of BYTES there are; -1 where the bytes are none.</summary>
    public static long Count(ReadOnlySpan<byte> data)
    {
        long count = 0;
        for (; data.Length >= sizeof(int); count++)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (length > data.Length - sizeof(int))
            {
                return -1;
            }

            data = data[(sizeof(int) + (int)length)..];
        }

        return data.IsEmpty ? count : -1;
    }

    private static bool Holds(Type asked, DataType type)
    {
        var index = Array.FindIndex(Numbers, number => number.Clr == asked);
        var source = Array.FindIndex(Numbers, number => number.Type == type);
        if (type == DataType.Bf16)
        {
            return asked == typeof(float) || asked == typeof(double);
        }

        if (index < 0 || source < 0)
        {
            return false;
        }

        var (target, from) = (Numbers[index].Number, Numbers[source].Number);
        return from.Bits <= target.Bits && (target.IsFloat || (!from.IsFloat && (target.IsSigned || !from.IsSigned)));
    }

    private static T[] Decode<T>(ReadOnlySpan<byte> data, int count)
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(data);
            var element = data.Slice(sizeof(int), length);
            values[i] = typeof(T) == typeof(string) ? (T)(object)Encoding.UTF8.GetString(element) : (T)(object)element.ToArray();
            data = data[(sizeof(int) + length)..];
        }

        return values;
    }

    private static void Read<T>(DataType type, ReadOnlySpan<byte> data, Span<T> values)
    {
        switch (type)
        {
            case DataType.Bool: MemoryMarshal.Cast<byte, bool>(data).CopyTo(As<T, bool>(values)); break;
            case DataType.Uint8: Widen<byte, T>(data, values); break;
            case DataType.Uint16: Widen<ushort, T>(data, values); break;
            case DataType.Uint32: Widen<uint, T>(data, values); break;
            case DataType.Uint64: Widen<ulong, T>(data, values); break;
            case DataType.Int8: Widen<sbyte, T>(data, values); break;
            case DataType.Int16: Widen<short, T>(data, values); break;
            case DataType.Int32: Widen<int, T>(data, values); break;
            case DataType.Int64: Widen<long, T>(data, values); break;
            case DataType.Fp16: Widen<Half, T>(data, values); break;
            case DataType.Fp32: Widen<float, T>(data, values); break;
            case DataType.Fp64: Widen<double, T>(data, values); break;
            default: WidenBf16(MemoryMarshal.Cast<byte, ushort>(data), values); break;
        }
    }

    private static void Widen<TFrom, T>(ReadOnlySpan<byte> data, Span<T> values)
        where TFrom : unmanaged, INumberBase<TFrom>
    {
        var source = MemoryMarshal.Cast<byte, TFrom>(data);
        if (typeof(T) == typeof(TFrom))
        {
            source.CopyTo(As<T, TFrom>(values));
        }
        else if (typeof(T) == typeof(double))
        {
            Convert(source, As<T, double>(values));
        }
        else if (typeof(T) == typeof(float))
        {
            Convert(source, As<T, float>(values));
        }
        else if (typeof(T) == typeof(Half))
        {
            Convert(source, As<T, Half>(values));
        }
        else
        {
            WidenWhole(source, values);
        }
    }

    private static void WidenWhole<TFrom, T>(ReadOnlySpan<TFrom> source, Span<T> values)
        where TFrom : unmanaged, INumberBase<TFrom>
    {
        if (typeof(T) == typeof(long))
        {
            Convert(source, As<T, long>(values));
        }
        else if (typeof(T) == typeof(int))
        {
            Convert(source, As<T, int>(values));
        }
        else if (typeof(T) == typeof(short))
        {
            Convert(source, As<T, short>(values));
        }
        else if (typeof(T) == typeof(ulong))
        {
            Convert(source, As<T, ulong>(values));
        }
        else if (typeof(T) == typeof(uint))
        {
            Convert(source, As<T, uint>(values));
        }
        else
        {
            Convert(source, As<T, ushort>(values));
        }
    }

    private static void WidenBf16<T>(ReadOnlySpan<ushort> source, Span<T> values)
    {
        for (var i = 0; i < source.Length; i++)
        {
            var value = BitConverter.Int32BitsToSingle(source[i] << 16);
            values[i] = typeof(T) == typeof(float) ? Unsafe.As<float, T>(ref value) : (T)(object)(double)value;
        }
    }

    private static void Convert<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> target)
        where TFrom : INumberBase<TFrom>
        where TTo : INumberBase<TTo>
    {
        for (var i = 0; i < source.Length; i++)
        {
            target[i] = TTo.CreateTruncating(source[i]);
        }
    }

    private static Span<TTo> As<T, TTo>(Span<T> values)
        where TTo : unmanaged => MemoryMarshal.CreateSpan(ref Unsafe.As<T, TTo>(ref MemoryMarshal.GetReference(values)), values.Length);
}
