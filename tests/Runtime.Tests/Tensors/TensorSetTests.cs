using Runtime.Tensors;

namespace Runtime.Tests.Tensors;

public class TensorSetTests
{
    private readonly TensorPool _pool = new();

    [Fact]
    public void Rows_FixedSize_ShowsTheRowsAndKeepsTheMemoryUntilTheLastIsGone()
    {
        var set = new TensorSet(_pool);
        set.Rent("A", DataType.Int16, [3, 2], 12, out var memory);
        Enumerable.Range(0, 12).Select(i => (byte)i).ToArray().CopyTo(memory);

        var middle = set.Rows(1, 2);
        set.Dispose();

        Assert.Equal(1, _pool.Outstanding);
        Assert.Equal([2, 2], middle[0].Shape);
        Assert.Equal(Enumerable.Range(4, 8).Select(i => (byte)i), middle[0].Data.ToArray());
        middle.Dispose();
        Assert.Equal(0, _pool.Outstanding);
    }

    [Fact]
    public void Rows_Bytes_WalksTheLengths()
    {
        using var set = new TensorSet(_pool);
        byte[] data = [1, 0, 0, 0, 65, 0, 0, 0, 0, 2, 0, 0, 0, 66, 67];
        set.Add(new Tensor("S", DataType.Bytes, [3, 1], data));

        using var last = set.Rows(2, 1);
        using var first = set.Rows(0, 2);

        Assert.Equal([2, 0, 0, 0, 66, 67], last[0].Data.ToArray());
        Assert.Equal([1, 0, 0, 0, 65, 0, 0, 0, 0], first[0].Data.ToArray());
    }

    [Fact]
    public void Dispose_Twice_ReturnsTheMemoryOnce()
    {
        var set = new TensorSet(_pool);
        set.Rent("A", DataType.Fp32, [1], 4, out _);

        set.Dispose();
        set.Dispose();

        Assert.Equal(0, _pool.Outstanding);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1 << 20)]
    public void Rent_AnySize_IsAtLeastThatAndPinned(int size)
    {
        var array = _pool.Rent(size);

        Assert.True(array.Length >= size);
        Assert.Equal(2, GC.GetGeneration(array)); // the pinned heap counts as the oldest generation from the start
        _pool.Return(array);
        Assert.Same(array, _pool.Rent(size));
    }

    [Theory]
    [InlineData(new long[] { }, 1)]
    [InlineData(new long[] { 0, 5 }, 0)]
    [InlineData(new[] { 2, 3L }, 6)]
    [InlineData(new[] { long.MaxValue, 2 }, -1)]
    [InlineData(new[] { 1L << 40, 1L << 40, 0 }, -1)]
    [InlineData(new[] { -1L }, -1)]
    public void ElementCount_Shape_NeverOverflows(long[] shape, long expected) => Assert.Equal(expected, Shapes.ElementCount(shape));
}
