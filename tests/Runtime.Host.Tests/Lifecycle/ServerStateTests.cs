using Runtime.Host.Lifecycle;

namespace Runtime.Host.Tests.Lifecycle;

public sealed class ServerStateTests
{
    [Theory]
    [InlineData(true, true, true, false, true)]
    [InlineData(true, false, true, false, false)]
    [InlineData(false, false, true, false, true)]
    [InlineData(false, true, false, false, false)]
    [InlineData(true, true, true, true, false)]
    public void IsReady_EveryCombination_AsksForStartAndModels(bool strict, bool models, bool started, bool draining, bool expected)
    {
        using var state = new ServerState(strict, () => models);
        if (started)
        {
            state.Started();
        }

        if (draining)
        {
            state.BeginDraining();
        }

        Assert.Equal(expected, state.IsReady);
        Assert.True(state.IsLive);
        Assert.Equal(draining, state.Draining.IsCancellationRequested);
    }
}
