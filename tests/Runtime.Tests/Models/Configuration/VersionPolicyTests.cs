using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

public sealed class VersionPolicyTests
{
    [Theory]
    [InlineData("", new long[] { 12 })]
    [InlineData("latest { }", new long[] { 12 })]
    [InlineData("latest { num_versions: 2 }", new long[] { 3, 12 })]
    [InlineData("latest { num_versions: 4294967295 }", new long[] { 1, 3, 12 })]
    [InlineData("all { }", new long[] { 1, 3, 12 })]
    [InlineData("specific { versions: [ 12, 1, 7, 1 ] }", new long[] { 1, 12 })]
    public void Select_Policy_IsAscending(string policy, long[] expected)
    {
        var config = ModelConfigText.Parse($"version_policy {{ {policy} }}", "f");
        Assert.Equal(expected, VersionPolicy.Select(config.VersionPolicy, [12, 1, 3]));
    }

    [Fact]
    public void Select_NothingAvailable_IsEmpty() => Assert.Empty(VersionPolicy.Select(new Protocol.ModelVersionPolicy(), []));
}
