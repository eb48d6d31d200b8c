using System.Buffers;
using System.Text;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.Tests.Lifecycle;

public sealed class RequestHeadRepairTests
{
    [Theory]
    [InlineData("GET /a HTTP/1.1\r\nA: b\r\n\r\nrest", "GET /a HTTP/1.1\r\nHost: \r\nA: b\r\n\r\nrest")]
    [InlineData("GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: \r\n\r\n")]
    [InlineData("GET /a HTTP/9.9\r\nhost: x\r\n\r\nrest", "GET /a HTTP/1.1\r\nhost: x\r\n\r\nrest")]
    [InlineData("GET /a HTTP/0.9\r\n\r\n", "GET /a HTTP/1.1\r\nHost: \r\n\r\n")]
    [InlineData("GET /a HTTP/1.1\r\nhOsT: x\r\n\r\n", null)]
    [InlineData("GET /a HTTP/1.0\r\n\r\n", null)]
    [InlineData("GET /a HTTP/10.1\r\n\r\n", null)]
    [InlineData("GET /a HTTP/x.y\r\n\r\n", null)]
    [InlineData("GET /a\r\n\r\n", null)]
    [InlineData("GET /a HTTP/1.1\r\nA: b\r\n", null)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", null)]
    [InlineData("\r\n\r\n", null)]
    [InlineData("", null)]
    public void Repair_Head_MendsHostAndVersionOnly(string head, string? expected)
    {
        var repaired = RequestHeadRepair.Repair(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(head)));

        Assert.Equal(expected, repaired is null ? null : Encoding.Latin1.GetString(repaired));
    }
}
