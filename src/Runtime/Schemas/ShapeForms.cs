using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>How a request's shape stands to an input's.</summary>
internal enum ShapeFault
{
    None,

    /// <summary>It is none of the input's forms.</summary>
    Mismatch,

    /// <summary>It has several rows, but the model takes no batches.</summary>
    NotBatching,

    /// <summary>It has more rows than the model's largest batch.</summary>
    TooManyRows,
}

/// <summary>
/// The shapes in which requests may bring one input: its own, or with a row dimension before it; for <c>[1]</c> also the rows alone,
/// or no dimension.
/// </summary>
internal sealed class ShapeForms(long[] shape, int maxBatchSize)
{
    private const long MostCounted = int.MaxValue;

    // What one row becomes; shared, as nobody changes a tensor's shape. Null where dimensions vary.
    private readonly long[]? _oneRow = Array.Exists(shape, dimension => dimension < 0) ? null : maxBatchSize > 0 ? [1, .. shape] : shape;

    // Counted once, where one row always has as many; so many rows of them fit 63 bits. Otherwise -1.
    private readonly long _rowElements = Shapes.ElementCount(shape) is >= 0 and <= MostCounted and var count ? count : -1;

    /// <summary>The elements of a request's shape that fits; -1 where they cannot be counted.</summary>
    public long CountElements(ReadOnlySpan<long> request, long rows) => _rowElements >= 0 ? rows * _rowElements : Shapes.ElementCount(request);

    /// <summary>Counts the rows of a request's shape.</summary>
    public ShapeFault Fit(ReadOnlySpan<long> request, out long rows)
    {
        rows = 1;
        if (request.Length == shape.Length + 1 && Matches(request[1..]))
        {
            rows = request[0];
        }
        else if (shape is [1] && request.Length <= 1)
        {
            rows = request.Length == 0 ? 1 : request[0];
        }
        else if (!Matches(request))
        {
            return ShapeFault.Mismatch;
        }

        return rows < 1 ? ShapeFault.Mismatch
            : rows == 1 ? ShapeFault.None
            : maxBatchSize <= 0 ? ShapeFault.NotBatching
            : rows > maxBatchSize ? ShapeFault.TooManyRows
            : ShapeFault.None;
    }

    /// <summary>The shape that the model gets for one that fits; null if it is that already.</summary>
    public long[]? Normalize(long[] request, long rows)
    {
        var isBatching = maxBatchSize > 0;
        if (request.Length == shape.Length + (isBatching ? 1 : 0))
        {
            return null;
        }

        return rows == 1 && _oneRow is not null ? _oneRow
            : !isBatching ? request[1..]
            : request.Length == shape.Length && !(shape is [1]) ? [1, .. request]
            : [rows, .. shape];
    }

    private bool Matches(ReadOnlySpan<long> request)
    {
        if (request.Length != shape.Length)
        {
            return false;
        }

        for (var i = 0; i < request.Length; i++)
        {
            if (request[i] < 0 || (shape[i] >= 0 && shape[i] != request[i]))
            {
                return false;
            }
        }

        return true;
    }
}
