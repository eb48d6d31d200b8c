using Runtime.Host.Http;

namespace Runtime.Host.Tests.Http;

public sealed class RestrictedApiTests
{
    [Theory]
    [InlineData("health")]
    [InlineData("health:key")]
    [InlineData("health:=s3cret")]
    [InlineData("health:key=")]
    [InlineData(":key=s3cret")]
    [InlineData("helth:key=s3cret")]
    [InlineData("health,:key=s3cret")]
    public void TryParse_BadEntry_SaysWhyWithoutTheSecret(string entry)
    {
        Assert.False(RestrictedApi.TryParse([entry], "", out _, out var error));
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
        Assert.NotEmpty(error);
    }

    [Fact]
    public void TryParse_GroupInTwoEntries_IsRefused()
    {
        Assert.False(RestrictedApi.TryParse(["model-repository,health:k1=v1", "metadata,health:k2=v2"], "", out _, out var error));
        Assert.Contains("'health' can not be specified in multiple config groups", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_BadEntry_Throws() => Assert.Throws<FormatException>(() => RestrictedApi.Parse(["health"]));

    [Fact]
    public void IsAllowed_TwoEntries_EachGroupWantsItsOwnHeader()
    {
        var restricted = RestrictedApi.Parse(["model-config, shared-memory : Key-1 = a:b=c ", "trace:k2=v2"], RestrictedApi.GrpcHeaderPrefix);

        Assert.True(restricted.IsAllowed(ApiGroup.ModelConfig, name => name == "triton-grpc-protocol-key-1" ? "a:b=c" : null, out var header));
        Assert.Equal("triton-grpc-protocol-key-1", header);
        Assert.True(restricted.IsAllowed(ApiGroup.Trace, _ => "v2", out _));
        Assert.False(restricted.IsAllowed(ApiGroup.SharedMemory, _ => "v2", out _));
        Assert.False(restricted.IsAllowed(ApiGroup.SharedMemory, _ => null, out _));
        Assert.True(restricted.IsAllowed(ApiGroup.Inference, _ => null, out _));
        Assert.False(restricted.IsRestricted(ApiGroup.Inference));
    }

    [Fact]
    public void Parse_EveryGroupName_RestrictsThatGroup()
    {
        string[] names = ["health", "metadata", "inference", "shared-memory", "model-config", "model-repository", "statistics", "trace", "logging"];
        for (var i = 0; i < names.Length; i++)
        {
            var restricted = RestrictedApi.Parse([$"{names[i]}:k=v"]);
            Assert.Equal((ApiGroup)i, Assert.Single(Enum.GetValues<ApiGroup>(), restricted.IsRestricted));
        }
    }
}
