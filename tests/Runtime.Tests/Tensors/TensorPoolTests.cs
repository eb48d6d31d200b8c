using Runtime.Tensors;
using Runtime.Tests.Scheduling;

namespace Runtime.Tests.Tensors;

public class TensorPoolTests
{
    private readonly ManualTime _time = new();
    private readonly TensorPool _pool;

    public TensorPoolTests() => _pool = new TensorPool(_time);

    [Fact]
    public void Trim_NotRentedSinceTheLast_GivesEverythingBack()
    {
        var arrays = new[] { _pool.Rent(1000), _pool.Rent(1000), _pool.Rent(1 << 20) };
        foreach (var array in arrays)
        {
            _pool.Return(array);
        }

        _time.FireAll();
        Assert.Equal((0, (1 << 20) + 2048), _pool.Bytes);

        _time.FireAll();
        Assert.Equal((0, 0), _pool.Bytes);
    }

    [Fact]
    public void Trim_SomeRentedInBetween_KeepsAsManyAsWereNeededAtOnce()
    {
        var arrays = Enumerable.Range(0, 5).Select(_ => _pool.Rent(1000)).ToArray();
        Array.ForEach(arrays, _pool.Return);
        _time.FireAll();
        var (first, second) = (_pool.Rent(1000), _pool.Rent(1000));
        _pool.Return(first);
        _pool.Return(second);

        _time.FireAll();

        Assert.Equal((0, 2 * 1024), _pool.Bytes);
        Assert.Same(second, _pool.Rent(1000));
        Assert.Same(first, _pool.Rent(1000));
    }

    [Fact]
    public void Trim_WhileLent_LeavesWhatIsLentAlone()
    {
        var array = _pool.Rent(1000);
        _pool.Return(_pool.Rent(500));
        _time.FireAll();
        _time.FireAll();
        array[0] = 7;
        _pool.Return(array);

        Assert.Same(array, _pool.Rent(1000));
        Assert.Equal(1, _pool.Outstanding);
    }
}
