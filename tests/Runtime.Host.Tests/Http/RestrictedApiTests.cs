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
    public void Faults_BadEntry_SaysWhyWithoutTheSecret(string entry)
    {
        var fault = Assert.Single(RestrictedApi.Faults([entry]));
        Assert.DoesNotContain("s3cret", fault, StringComparison.Ordinal);
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void Faults_GroupInTwoEntriesAndAnUnknownOne_AreAllNamed()
    {
        var faults = RestrictedApi.Faults(["model-repository,health:k1=v1", "metadata,health,helth:k2=v2"]);
        Assert.Equal(2, faults.Count);
        Assert.Equal("'health' is restricted twice", faults[0]);
        Assert.StartsWith("unknown API 'helth'", faults[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_GoodEntries_AreNone() => Assert.Empty(RestrictedApi.Faults(["health,metadata:k=v", "trace:k=w"]));

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
