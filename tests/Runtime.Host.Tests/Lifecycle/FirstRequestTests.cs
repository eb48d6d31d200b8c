using Runtime.Host.Lifecycle;

namespace Runtime.Host.Tests.Lifecycle;

public class FirstRequestTests
{
    [Fact]
    public async Task SendAsync_JsonAndBinary_AreBothAnswered() => Assert.True(await FirstRequest.SendAsync(CancellationToken.None));

    [Fact]
    public async Task SendAsync_StartIsOver_GivesUp() => Assert.False(await FirstRequest.SendAsync(new CancellationToken(canceled: true)));
}
