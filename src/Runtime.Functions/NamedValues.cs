using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Functions;

/// <summary>
/// Tensors read by name: a single element as a scalar, more as an array. Numbers may be asked for as any type that holds all
/// values of theirs; FP16 is Half, BF16 float, BYTES string or byte[]. Values are decoded when they are asked for.
/// </summary>
public abstract class NamedValues
{
    private readonly TensorSet _set;
    private readonly string _kind;
    private readonly int _row;
    private readonly bool _isRow;
    private volatile bool _isReleased;

    /// <param name="set">The tensors, which must live until <see cref="Release"/>.</param>
    /// <param name="kind">What messages call one of them: input or output.</param>
    /// <param name="row">The row along the first dimension that is shown without that dimension; null for all of it.</param>
    private protected NamedValues(TensorSet set, string kind, int? row)
        => (_set, _kind, _row, _isRow) = (set, kind, row ?? 0, row is not null);

    /// <summary>The names that are there, in the order of the request.</summary>
    public IReadOnlyList<string> Names => [.. Set.Tensors.ToArray().Select(tensor => tensor.Name)];

    internal TensorSet Set
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isReleased, this);
            return _set;
        }
    }

    public bool Contains(string name) => Set.IndexOf(name) >= 0;

    /// <summary>The only element of a tensor.</summary>
    /// <exception cref="FunctionException">It is missing, has more elements, or is of a type that <typeparamref name="T"/> does not hold.</exception>
    public T Get<T>(string name) => TryGet<T>(name, out var value) ? value : throw Missing(name);

    /// <summary>The only element of a tensor, or <paramref name="fallback"/> where it is absent.</summary>
    /// <exception cref="FunctionException">It has more elements, or is of a type that <typeparamref name="T"/> does not hold.</exception>
    public T Get<T>(string name, T fallback) => TryGet<T>(name, out var value) ? value : fallback;

    /// <summary>The only element of a tensor; false where it is absent.</summary>
    /// <exception cref="FunctionException">It has more elements, or is of a type that <typeparamref name="T"/> does not hold.</exception>
    public bool TryGet<T>(string name, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (Find(name) is not { } tensor)
        {
            return false;
        }

        if (tensor.ElementCount != 1)
        {
            throw Fault($"{_kind} '{name}' is {tensor.Type.Name()} of shape {Shapes.Text(tensor.Shape)}, which is no scalar; read it with GetArray");
        }

        value = Read<T>(tensor)[0];
        return true;
    }

    /// <summary>All elements of a tensor, row after row.</summary>
    /// <exception cref="FunctionException">It is missing, or of a type that <typeparamref name="T"/> does not hold.</exception>
    public T[] GetArray<T>(string name) => TryGetArray<T>(name, out var values) ? values : throw Missing(name);

    /// <summary>All elements of a tensor, row after row; false where it is absent.</summary>
    /// <exception cref="FunctionException">It is of a type that <typeparamref name="T"/> does not hold.</exception>
    public bool TryGetArray<T>(string name, [MaybeNullWhen(false)] out T[] values)
    {
        values = Find(name) is { } tensor ? Read<T>(tensor) : null;
        return values is not null;
    }

    /// <summary>A tensor with its datatype and shape, in the memory that it came in; it can be given on without a copy.</summary>
    /// <exception cref="FunctionException">It is missing.</exception>
    public TensorValue GetTensor(string name) => Find(name) is { } tensor ? new TensorValue(tensor.Type, tensor.Shape, tensor.Data, this) : throw Missing(name);

    /// <summary>Ends the values' life: asking for one throws from now on.</summary>
    internal void Release() => _isReleased = true;

    private T[] Read<T>(Tensor tensor) => Elements.TryRead<T>(tensor.Type, tensor.Data.Span, checked((int)tensor.ElementCount), out var values)
        ? values
        : throw Fault($"{_kind} '{tensor.Name}' is {tensor.Type.Name()}, which cannot be read as {typeof(T).Name}");

    private Tensor? Find(string name)
    {
        var tensor = Set.Find(name);
        return tensor is null || !_isRow ? tensor : tensor with { Shape = tensor.Shape[1..], Data = RowOf(tensor) };
    }

    private ReadOnlyMemory<byte> RowOf(Tensor tensor)
    {
        var rows = tensor.Shape[0];
        if (rows == 1)
        {
            return tensor.Data;
        }

        if (tensor.Type != DataType.Bytes)
        {
            var size = (int)(tensor.Data.Length / rows);
            return tensor.Data.Slice(_row * size, size);
        }

        var perRow = Shapes.ElementCount(tensor.Shape.AsSpan(1));
        var start = Skip(tensor.Data.Span, 0, _row * perRow);
        return tensor.Data[start..Skip(tensor.Data.Span, start, perRow)];
    }

    private static int Skip(ReadOnlySpan<byte> data, int position, long elements)
    {
        for (; elements > 0; elements--)
        {
            position += sizeof(int) + BinaryPrimitives.ReadInt32LittleEndian(data[position..]);
        }

        return position;
    }

    private FunctionException Missing(string name) => new($"{_kind} '{name}' is missing; there is {(_set.Count == 0 ? "none" : string.Join(", ", Names.Select(known => $"'{known}'")))}");

    private static FunctionException Fault(string message) => new(message, ErrorCode.Internal);
}
