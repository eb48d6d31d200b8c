using System.Net;
using Runtime.Host.Grpc;
using Runtime.Inference;

namespace Runtime.Host.Tests.Grpc;

public sealed class GrpcTextTests
{
    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("50m", 500_000)]
    [InlineData("7u", 70)]
    [InlineData("200n", 2)]
    [InlineData("1n", 1)]
    [InlineData("0n", 0)]
    [InlineData("99999999H", 99_999_999L * 36_000_000_000)]
    public void TryParse_Timeout_IsRead(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("1 S")]
    [InlineData("123456789S")]
    [InlineData("١S")]
    public void TryParse_NoTimeout_IsRefused(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));

    [Theory]
    [InlineData("plain text, with: punctuation!", "plain text, with: punctuation!")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("é", "%C3%A9")]
    [InlineData("🙂", "%F0%9F%99%82")]
    public void Encode_Message_IsPercentEncodedUtf8(string message, string expected)
    {
        Assert.Equal(expected, StatusMessage.Encode(message));
        Assert.Equal(message, WebUtility.UrlDecode(expected.Replace("+", "%2B", StringComparison.Ordinal)));
    }

    [Fact]
    public void Encode_LongMessage_IsCutBetweenCharacters()
    {
        var encoded = StatusMessage.Encode(new string('é', 5000));
        Assert.InRange(encoded.Length, StatusMessage.MaxEncodedLength - 6, StatusMessage.MaxEncodedLength);
        Assert.Equal(0, encoded.Length % 6);
    }

    [Fact]
    public void Encode_LoneSurrogate_IsReplaced() => Assert.Equal("%EF%BF%BD", StatusMessage.Encode("\ud800"));

    [Fact]
    public void Code_EveryErrorCode_HasItsOwnStatus()
        => Assert.Equal(10, Enum.GetValues<ErrorCode>().Select(GrpcErrors.Code).Where(code => code != GrpcStatusCode.Ok).Distinct().Count());

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("identity, deflate, gzip", true)]
    [InlineData("identity,gzip,x", true)]
    [InlineData("gzip2", false)]
    [InlineData(null, false)]
    public void AcceptsGzip_Header_IsAList(string? header, bool expected) => Assert.Equal(expected, MessageCompression.AcceptsGzip(header));
}
