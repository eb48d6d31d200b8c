using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Nvcf;

/// <summary>
/// Inputs whose data are assets: rented when the request is read, filled before it is run, so that no parser waits for a disk.
/// BYTES take the file as their one element, other datatypes as their raw bytes.
/// </summary>
internal sealed class AssetInputs(AssetDirectory? assets, long maxByteSize) : IDisposable
{
    /// <summary>What names an asset: a parameter of an input, or the only key of an object in an input's place.</summary>
    public const string Key = "asset_id";

    private readonly List<(SafeFileHandle File, Memory<byte> Memory, string Id)> _open = [];

    /// <summary>Whether some inputs still lack their bytes.</summary>
    public bool ArePending => _open.Count > 0;

    /// <summary>Whether some input names an asset, a good one or not.</summary>
    public bool AreNamed { get; private set; }

    /// <summary>Adds an input of that shape.</summary>
    /// <exception cref="InferenceException">The id names no asset of the request, or one that does not fit the shape.</exception>
    public void Add(TensorSet inputs, Tensor head, string id) => Add(inputs, head, id, static (tensor, count) => Shapes.ElementCount(tensor.Shape) == count
        ? tensor.Shape
        : throw Invalid(tensor.Type == DataType.Bytes
            ? $"an asset is one element of BYTES, but input '{tensor.Name}' has shape {Shapes.Text(tensor.Shape)}"
            : $"input '{tensor.Name}' of shape {Shapes.Text(tensor.Shape)} needs {Shapes.ElementCount(tensor.Shape)} elements of {tensor.Type.Name()}, its asset has {count}"));

    /// <summary>Adds an input whose shape follows from the number of elements that the asset has.</summary>
    /// <inheritdoc cref="Add(TensorSet, Tensor, string)"/>
    public void Add(TensorSet inputs, Tensor head, string id, Func<Tensor, long, long[]> shape)
    {
        AreNamed = true;
        if (assets is null)
        {
            throw Invalid($"input '{head.Name}' names the asset '{PathSegment.Show(id)}', but the request came without {NvcfHeaders.AssetDirectory}");
        }

        var file = assets.Open(id);
        try
        {
            var length = Length(file, id);
            var prefix = head.Type == DataType.Bytes ? sizeof(int) : 0;
            var count = prefix > 0 ? 1 : length / head.Type.Size();
            if (prefix == 0 && length % head.Type.Size() != 0)
            {
                throw Invalid($"the asset '{PathSegment.Show(id)}' of {length} bytes is no whole number of {head.Type.Name()} elements for input '{head.Name}'");
            }

            inputs.Rent(head.Name, head.Type, shape(head, count), prefix + length, out var memory);
            if (prefix > 0)
            {
                BinaryPrimitives.WriteInt32LittleEndian(memory.Span, (int)length);
            }

            _open.Add((file, memory[prefix..], id));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads what is pending, and closes the files.</summary>
    /// <exception cref="InferenceException">A file cannot be read to its end.</exception>
    public async ValueTask FillAsync(CancellationToken cancellation)
    {
        foreach (var (file, memory, id) in _open)
        {
            try
            {
                if (await FillAsync(file, memory, cancellation) < memory.Length)
                {
                    throw Invalid($"the asset '{PathSegment.Show(id)}' ended before its {memory.Length} bytes");
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new InferenceException(InferenceError.Internal($"the asset '{PathSegment.Show(id)}' cannot be read: {exception.Message}"), exception);
            }
        }

        Dispose();
    }

    public void Dispose()
    {
        _open.ForEach(static input => input.File.Dispose());
        _open.Clear();
    }

    private static async ValueTask<int> FillAsync(SafeFileHandle file, Memory<byte> memory, CancellationToken cancellation)
    {
        var filled = 0;
        for (int read = -1; filled < memory.Length && read != 0; filled += read)
        {
            read = await RandomAccess.ReadAsync(file, memory[filled..], filled, cancellation);
        }

        return filled;
    }

    private long Length(SafeFileHandle file, string id)
    {
        try
        {
            var length = RandomAccess.GetLength(file);
            return length <= maxByteSize
                ? length
                : throw Invalid($"the asset '{PathSegment.Show(id)}' has {length} bytes, an input takes {maxByteSize} at most (--nvcf-max-asset-size)");
        }
        catch (NotSupportedException exception)
        {
            throw new InferenceException(InferenceError.InvalidArgument($"the asset '{PathSegment.Show(id)}' is no plain file"), exception);
        }
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
