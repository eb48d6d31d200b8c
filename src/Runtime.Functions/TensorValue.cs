using System.Runtime.InteropServices;
using Runtime.Functions.Conversion;
using Runtime.Tensors;

namespace Runtime.Functions;

/// <summary>A tensor without a name: what <see cref="NamedValues.GetTensor"/> shows, or a value with a shape of one's own. Row-major, BYTES as a 4-byte little-endian length and the bytes.</summary>
public sealed class TensorValue
{
    private readonly ReadOnlyMemory<byte> _data;
    private readonly NamedValues? _source;

    internal TensorValue(DataType type, long[] shape, ReadOnlyMemory<byte> data, NamedValues? source = null)
        => (Type, Shape, _data, _source) = (type, shape, data, source);

    public DataType Type { get; }

    public IReadOnlyList<long> Shape { get; }

    /// <summary>The bytes; of a value that was read, valid as long as what it was read from.</summary>
    public ReadOnlyMemory<byte> Data
    {
        get
        {
            _ = _source?.Set;
            return _data;
        }
    }

    /// <summary>The set whose memory this shows; null for memory of its own.</summary>
    internal TensorSet? Source => _source?.Set;

    /// <summary>A copy of the values; without a shape they have the one of a list.</summary>
    /// <exception cref="ArgumentException">The values are not as many as the shape says, or of a type without a datatype.</exception>
    public static TensorValue Create<T>(ReadOnlySpan<T> values, params long[] shape)
        where T : unmanaged
    {
        var type = Elements.TypeOf(typeof(T)) ?? throw new ArgumentException($"{typeof(T).Name} is the type of no tensor", nameof(values));
        return Create(type, MemoryMarshal.AsBytes(values).ToArray(), shape.Length == 0 ? [values.Length] : shape);
    }

    /// <inheritdoc cref="Create{T}(ReadOnlySpan{T}, long[])"/>
    public static TensorValue Create<T>(T[] values, params long[] shape)
        where T : unmanaged => Create<T>(values.AsSpan(), shape);

    /// <summary>Texts as BYTES; without a shape they have the one of a list.</summary>
    /// <exception cref="ArgumentException">The texts are not as many as the shape says.</exception>
    public static TensorValue Create(IReadOnlyList<string> texts, params long[] shape)
    {
        ArgumentNullException.ThrowIfNull(texts);
        CheckCount(texts.Count, shape.Length == 0 ? [texts.Count] : shape);
        return new TensorValue(DataType.Bytes, shape.Length == 0 ? [texts.Count] : shape, Elements.Encode(texts));
    }

    /// <summary>Bytes that already are a tensor's; they are not copied, and must not change any more.</summary>
    /// <exception cref="ArgumentException">The bytes are not as many as datatype and shape say.</exception>
    public static TensorValue Create(DataType type, ReadOnlyMemory<byte> data, params long[] shape)
    {
        if (type == DataType.Bytes)
        {
            CheckCount(Elements.Count(data.Span), shape);
        }
        else if (Shapes.ByteSize(type, shape) != data.Length)
        {
            throw new ArgumentException($"{data.Length} bytes are no {type.Name()} tensor of shape {Shapes.Text(shape)}, which has {Shapes.ByteSize(type, shape)}", nameof(data));
        }

        return new TensorValue(type, shape, data);
    }

    /// <summary>The elements in place.</summary>
    /// <exception cref="InvalidOperationException">The datatype is not that of <typeparamref name="T"/>.</exception>
    public ReadOnlySpan<T> AsSpan<T>()
        where T : unmanaged
        => Elements.TypeOf(typeof(T)) == Type
            ? MemoryMarshal.Cast<byte, T>(Data.Span)
            : throw new InvalidOperationException($"a tensor of {Type.Name()} is no span of {typeof(T).Name}");

    private static void CheckCount(long count, long[] shape)
    {
        if (Shapes.ElementCount(shape) != count)
        {
            throw new ArgumentException($"{count} values are no tensor of shape {Shapes.Text(shape)}", nameof(shape));
        }
    }
}
