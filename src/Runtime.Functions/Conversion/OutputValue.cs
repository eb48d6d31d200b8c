using System.Collections;
using System.Runtime.InteropServices;
using Runtime.Tensors;

namespace Runtime.Functions.Conversion;

/// <summary>What a function gave as an output, as a tensor: the rules of <see cref="Outputs"/>.</summary>
internal static class OutputValue
{
    private static readonly long[] Scalar = [1];

    /// <summary>The tensor of a value, without a batch dimension.</summary>
    /// <exception cref="ArgumentException">It is null, ragged or cannot be JSON.</exception>
    public static TensorValue Convert(object? value) => value switch
    {
        null => throw new ArgumentException("is null; leave it away or give it a value"),
        TensorValue tensor => tensor,
        string text => new TensorValue(DataType.Bytes, Scalar, Elements.Encode([text])),
        // The runtime takes an array of sbyte for one of byte.
        byte[] bytes when value.GetType() == typeof(byte[]) => new TensorValue(DataType.Bytes, Scalar, Elements.Encode([bytes])),
        double number => One(DataType.Fp64, number),
        float number => One(DataType.Fp32, number),
        int number => One(DataType.Int32, number),
        long number => One(DataType.Int64, number),
        bool flag => One(DataType.Bool, flag),
        _ => Rare(value),
    };

    private static TensorValue Rare(object value) => value switch
    {
        Half number => One(DataType.Fp16, number),
        byte number => One(DataType.Uint8, number),
        ushort number => One(DataType.Uint16, number),
        uint number => One(DataType.Uint32, number),
        ulong number => One(DataType.Uint64, number),
        sbyte number => One(DataType.Int8, number),
        short number => One(DataType.Int16, number),
        decimal number => One(DataType.Fp64, (double)number),
        ReadOnlyMemory<byte> bytes => new TensorValue(DataType.Bytes, Scalar, Elements.Encode([bytes.ToArray()])),
        Array { Rank: > 1 } array => Grid(array),
        IEnumerable<string> texts => List(texts.ToArray()),
        IEnumerable<byte[]> elements => List(elements.ToArray()),
        IDictionary => Json(value),
        IEnumerable<KeyValuePair<string, object?>> => Json(value),
        IEnumerable list => Many(list),
        _ => Json(value),
    };

    private static TensorValue Many(IEnumerable list) => list switch
    {
        IEnumerable<double> numbers => Span(DataType.Fp64, numbers),
        IEnumerable<float> numbers => Span(DataType.Fp32, numbers),
        IEnumerable<bool> flags => Span(DataType.Bool, flags),
        IEnumerable<Half> numbers => Span(DataType.Fp16, numbers),
        _ => Whole(list),
    };

    // An array of one signedness counts as one of the other when asked for by interface, so its own element type decides.
    private static TensorValue Whole(IEnumerable list) => list.GetType().GetElementType() switch
    {
        { } type when type == typeof(int) => Span(DataType.Int32, (IEnumerable<int>)list),
        { } type when type == typeof(uint) => Span(DataType.Uint32, (IEnumerable<uint>)list),
        { } type when type == typeof(long) => Span(DataType.Int64, (IEnumerable<long>)list),
        { } type when type == typeof(ulong) => Span(DataType.Uint64, (IEnumerable<ulong>)list),
        { } type when type == typeof(short) => Span(DataType.Int16, (IEnumerable<short>)list),
        { } type when type == typeof(ushort) => Span(DataType.Uint16, (IEnumerable<ushort>)list),
        { } type when type == typeof(sbyte) => Span(DataType.Int8, (IEnumerable<sbyte>)list),
        _ => Collection(list),
    };

    private static TensorValue Collection(IEnumerable list) => list switch
    {
        IEnumerable<int> numbers => Span(DataType.Int32, numbers),
        IEnumerable<long> numbers => Span(DataType.Int64, numbers),
        IEnumerable<uint> numbers => Span(DataType.Uint32, numbers),
        IEnumerable<ulong> numbers => Span(DataType.Uint64, numbers),
        IEnumerable<short> numbers => Span(DataType.Int16, numbers),
        IEnumerable<ushort> numbers => Span(DataType.Uint16, numbers),
        IEnumerable<sbyte> numbers => Span(DataType.Int8, numbers),
        IEnumerable<byte> numbers => Span(DataType.Uint8, numbers),
        IEnumerable<object?> items => Objects(items.ToArray()),
        _ => Json(list),
    };

    /// <summary>Rows of numbers are a tensor of several dimensions, objects of one kind a list of it; all else is JSON.</summary>
    private static TensorValue Objects(object?[] items)
    {
        var isTensor = items.Length > 0 && Array.TrueForAll(items, static item => item is not null && IsPlain(item));
        var parts = isTensor ? Array.ConvertAll(items, Convert) : [];
        if (parts.Length == 0 || Array.Exists(parts, part => part.Type != parts[0].Type))
        {
            return Json(items);
        }

        var isNested = items[0] is not (string or byte[]) && items[0] is IEnumerable;
        if (Array.Exists(parts, part => !part.Shape.SequenceEqual(parts[0].Shape)))
        {
            throw new ArgumentException("has rows of different lengths, which are no tensor; give it as JSON text or fill the rows up");
        }

        long[] shape = isNested ? [items.Length, .. parts[0].Shape] : [items.Length];
        return new TensorValue(parts[0].Type, shape, Join(parts));
    }

    /// <summary>Whether it is a number, a bool or a text, or a list of such.</summary>
    private static bool IsPlain(object item) => item switch
    {
        string or byte[] or bool or decimal => true,
        IDictionary or IEnumerable<KeyValuePair<string, object?>> => false,
        IEnumerable<object?> items => items.All(static inner => inner is not null && IsPlain(inner)),
        IEnumerable list => ElementType(list) is { } type && Elements.TypeOf(type) is not null,
        _ => Elements.TypeOf(item.GetType()) is not null,
    };

    private static Type? ElementType(IEnumerable list)
        => list.GetType().GetInterfaces().FirstOrDefault(static type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0];

    private static TensorValue Grid(Array array)
    {
        var flat = Convert(array.Cast<object?>().ToArray());
        if (array.Length == 0 || array.GetType().GetElementType() is not { } type || (Elements.TypeOf(type) is null && type != typeof(string)))
        {
            return Json(array);
        }

        var shape = new long[array.Rank];
        for (var i = 0; i < shape.Length; i++)
        {
            shape[i] = array.GetLength(i);
        }

        return new TensorValue(flat.Type, shape, flat.Data);
    }

    private static TensorValue List(string[] texts)
        => Array.Exists(texts, static text => text is null)
            ? throw new ArgumentException("has a null among its texts")
            : new TensorValue(DataType.Bytes, [texts.Length], Elements.Encode(texts));

    private static TensorValue List(byte[][] elements)
        => Array.Exists(elements, static element => element is null)
            ? throw new ArgumentException("has a null among its elements")
            : new TensorValue(DataType.Bytes, [elements.Length], Elements.Encode(elements));

    private static TensorValue One<T>(DataType type, T value)
        where T : unmanaged => new(type, Scalar, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray());

    private static TensorValue Span<T>(DataType type, IEnumerable<T> values)
        where T : unmanaged
    {
        var array = values as T[] ?? values.ToArray();
        return new TensorValue(type, [array.Length], MemoryMarshal.AsBytes(array.AsSpan()).ToArray());
    }

    private static TensorValue Json(object value) => new(DataType.Bytes, Scalar, Elements.Encode([NestedJson.Write(value)]));

    private static byte[] Join(TensorValue[] parts)
    {
        var bytes = new byte[parts.Sum(static part => part.Data.Length)];
        var position = 0;
        foreach (var part in parts)
        {
            part.Data.Span.CopyTo(bytes.AsSpan(position));
            position += part.Data.Length;
        }

        return bytes;
    }
}
