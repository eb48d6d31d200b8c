using System.Buffers;
using System.Buffers.Binary;
using Runtime.Inference;

namespace Runtime.Tensors;

/// <summary>Tensors that live and die together: a request's inputs, a batch, a response's outputs.</summary>
/// <remarks>
/// One owner at a time fills it and disposes it, once; afterwards its tensors' memory belongs to others. Slices made by
/// <see cref="Rows"/> share the memory and may be disposed on other threads.
/// </remarks>
public sealed class TensorSet : IDisposable
{
    private readonly TensorPool _pool;
    private TensorSet? _parent;
    private IReadOnlyList<IDisposable>? _more;
    private Tensor[] _tensors;
    private object?[] _owners;
    private int _count;
    private int _references = 1;
    private int _disposed;

    /// <summary>An empty set that rents from the given pool, or from the process's.</summary>
    public TensorSet(TensorPool? pool = null, int capacity = 2)
    {
        _pool = pool ?? TensorPool.Shared;
        _tensors = new Tensor[capacity];
        _owners = new object?[capacity];
    }

    private TensorSet(TensorSet parent, int capacity)
        : this(parent._pool, capacity)
    {
        _parent = parent;
        Interlocked.Increment(ref parent._references);
    }

    /// <summary>What an instance says beside its outputs: parameters of every response made of them; null for none. Not to be changed once set.</summary>
    public Dictionary<string, ParameterValue>? Parameters { get; set; }

    /// <summary>Where <see cref="Rent"/> takes memory for elements of fixed size, such as memory that a device copies fast, which must not move; null for the pool.</summary>
    public MemoryPool<byte>? Source { get; init; }

    /// <summary>Whether outputs that are made of these inputs may stay in a device's memory, since whoever gets them copes with that.</summary>
    public bool AllowsDeviceOutputs { get; set; }

    /// <summary>How many tensors there are.</summary>
    public int Count => _count;

    /// <summary>The bytes of all tensors.</summary>
    public long ByteCount
    {
        get
        {
            long bytes = 0;
            foreach (var tensor in Tensors)
            {
                bytes += tensor.Data.Length;
            }

            return bytes;
        }
    }

    /// <summary>The tensor at a position, in the order of adding.</summary>
    public Tensor this[int index] => index < _count ? _tensors[index] : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>The tensors, in the order of adding.</summary>
    public ReadOnlySpan<Tensor> Tensors => _tensors.AsSpan(0, _count);

    /// <summary>The tensor of that name, or null.</summary>
    public Tensor? Find(string name)
    {
        var index = IndexOf(name);
        return index < 0 ? null : _tensors[index];
    }

    /// <summary>The position of the tensor of that name, or -1.</summary>
    public int IndexOf(string name)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_tensors[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Adds a tensor of <paramref name="byteCount"/> pooled bytes, which the caller fills through <paramref name="memory"/>.</summary>
    public Tensor Rent(string name, DataType type, long[] shape, long byteCount, out Memory<byte> memory)
    {
        if (Source is not null && type != DataType.Bytes && byteCount > 0 && byteCount <= Source.MaxBufferSize)
        {
            var owner = Source.Rent((int)byteCount);
            memory = owner.Memory[..(int)byteCount];
            Add(new Tensor(name, type, shape, memory), owner);
            return this[_count - 1];
        }

        var array = byteCount == 0 ? null : _pool.Rent(byteCount);
        memory = array is null ? Memory<byte>.Empty : array.AsMemory(0, (int)byteCount);
        var tensor = new Tensor(name, type, shape, memory);
        Add(tensor, array);
        return tensor;
    }

    /// <summary>Adds a tensor whose memory <paramref name="owner"/> (an <see cref="IDisposable"/>, a pooled array of this set's pool, or null for nobody) frees with the set.</summary>
    public void Add(Tensor tensor, object? owner = null)
    {
        if (_count == _tensors.Length)
        {
            Array.Resize(ref _tensors, Math.Max(4, _count * 2));
            Array.Resize(ref _owners, Math.Max(4, _count * 2));
        }

        _tensors[_count] = tensor;
        _owners[_count++] = owner;
    }

    /// <summary>Disposes <paramref name="source"/>, whose tensors this set shows, together with this set. For one source.</summary>
    public void Own(TensorSet source) => _parent = _parent is null ? source : throw new InvalidOperationException("the set already owns another");

    /// <summary>Disposes these, whose memory this set's tensors show, together with this set. Once a set.</summary>
    public void AddOwners(IReadOnlyList<IDisposable> owners) => _more = _more is null ? owners : throw new InvalidOperationException("the set already has more owners");

    /// <summary>Puts another description (name, datatype or shape of the same bytes) in a tensor's place.</summary>
    public void Replace(int index, Tensor tensor) => _tensors[index] = index < _count ? tensor : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Lets two tensors take each other's place.</summary>
    public void Swap(int index, int other)
    {
        (_tensors[index], _tensors[other]) = (_tensors[other], _tensors[index]);
        (_owners[index], _owners[other]) = (_owners[other], _owners[index]);
    }

    /// <summary>
    /// Rows <paramref name="first"/> to <paramref name="first"/> + <paramref name="count"/> of every tensor, along the first
    /// dimension. No byte is copied: the memory stays until this set and all its slices are disposed.
    /// </summary>
    public TensorSet Rows(long first, long count)
    {
        var slice = new TensorSet(this, _count) { Parameters = Parameters };
        foreach (var tensor in Tensors)
        {
            long[] shape = [count, .. tensor.Shape.AsSpan(1)];
            slice.Add(tensor with { Shape = shape, Data = RowBytes(tensor, first, count) });
        }

        return slice;
    }

    /// <summary>The same tensors once more; their memory stays until this set and all its slices are disposed.</summary>
    public TensorSet Share()
    {
        var share = new TensorSet(this, _count) { Parameters = Parameters };
        foreach (var tensor in Tensors)
        {
            share.Add(tensor);
        }

        return share;
    }

    /// <summary>Keeps the memory until the result is disposed too.</summary>
    public IDisposable Hold() => new TensorSet(this, 0);

    /// <summary>Gives the memory back; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Release();
        }
    }

    private static ReadOnlyMemory<byte> RowBytes(Tensor tensor, long first, long count)
    {
        var perRow = Shapes.ElementCount(tensor.Shape.AsSpan(1));
        if (tensor.Type != DataType.Bytes)
        {
            var rowSize = perRow * tensor.Type.Size();
            return tensor.Data.Slice((int)(first * rowSize), (int)(count * rowSize));
        }

        var start = SkipElements(tensor.Data.Span, 0, first * perRow);
        var end = SkipElements(tensor.Data.Span, start, count * perRow);
        return tensor.Data[start..end];
    }

    /// <summary>The position in BYTES behind so many elements.</summary>
    internal static int SkipElements(ReadOnlySpan<byte> data, int position, long elements)
    {
        for (; elements > 0; elements--)
        {
            position += 4 + BinaryPrimitives.ReadInt32LittleEndian(data[position..]);
        }

        return position;
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref _references) > 0)
        {
            return;
        }

        for (var i = 0; i < _count; i++)
        {
            if (_owners[i] is byte[] array)
            {
                _pool.Return(array);
            }
            else
            {
                (_owners[i] as IDisposable)?.Dispose();
            }
        }

        _count = 0;
        foreach (var owner in _more ?? [])
        {
            owner.Dispose();
        }

        if (_parent is { } parent)
        {
            _parent = null;
            parent.Release();
        }
    }
}
