using Runtime.Models;
using Runtime.Tests.Scheduling;

namespace Runtime.Tests.Models;

public sealed class MemoryReclaimTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly MemoryReclaim _memory;
    private int _rounds;

    public MemoryReclaimTests() => _memory = new MemoryReclaim(_time, () => _rounds++);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Request_ManyChanges_ShareTheRounds()
    {
        _memory.Request();
        _memory.Request();
        Assert.Equal(0, _rounds);

        FireTimes(5);

        Assert.Equal(MemoryReclaim.Rounds, _rounds);
    }

    [Fact]
    public void Request_BetweenRounds_StartsOver()
    {
        _memory.Request();
        FireTimes(1);
        _memory.Request();

        FireTimes(5);

        Assert.Equal(1 + MemoryReclaim.Rounds, _rounds);
    }

    [Fact]
    public void Request_AfterTheRounds_RunsAgain()
    {
        _memory.Request();
        FireTimes(5);
        _memory.Request();

        FireTimes(5);

        Assert.Equal(2 * MemoryReclaim.Rounds, _rounds);
    }

    [Fact]
    public async Task LoadAndUnload_OfAModel_EachRequestTheRounds()
    {
        await using var repository = new RepositoryUnderTest(_time);
        repository.Write("add", "", (1, "1"));
        var unloaded = new TaskCompletionSource();
        repository.Models.Changed += change =>
        {
            if (change.Reason == "unloaded")
            {
                unloaded.SetResult();
            }
        };

        Assert.Null(await repository.LoadAsync("add"));
        Assert.Equal(1, _time.DueCount);
        FireTimes(MemoryReclaim.Rounds);
        Assert.Equal(0, _time.DueCount);

        Assert.Null(await repository.UnloadAsync("add"));
        await unloaded.Task;
        Assert.Equal(1, _time.DueCount);
    }

    private void FireTimes(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _time.FireAll();
        }
    }
}
