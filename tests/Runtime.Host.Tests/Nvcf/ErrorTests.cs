using System.Text.Json;
using Runtime.Host.Http;
using Runtime.Host.Lifecycle;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Inference;

namespace Runtime.Host.Tests.Nvcf;

/// <summary>The platform shows clients what an error's body says under <c>error</c>, and takes a 202 for a promise to go on.</summary>
public sealed class ErrorTests
{
    [Theory]
    [InlineData("GET / HTTP/1.1\nHost: x\n\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost x\r\n\r\n", 400)]
    [InlineData("G<T / HTTP/1.1\r\nHost: x\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\n", 400)]
    [InlineData("GET / HTTP/x.y\r\nHost: x\r\n\r\n", 505)]
    public async Task Refusal_OfTheHead_HasAnErrorBody(string head, int status)
    {
        await using var test = await ServerUnderTest.StartAsync();

        AssertError(await test.ExchangeAsync(head), status);
    }

    [Theory]
    [InlineData(9_000, 1, 414)]
    [InlineData(10, 200, 431)]
    public async Task Refusal_OfALongHead_HasAnErrorBody(int target, int headers, int status)
    {
        await using var test = await ServerUnderTest.StartAsync();

        AssertError(await test.ExchangeAsync($"GET /{new string('a', target)} HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, headers).Select(i => $"x-{i}: 1\r\n"))}\r\n"), status);
    }

    [Fact]
    public async Task Refusal_AfterAGoodRequest_HasAnErrorBodyAndTheGoodAnswerStays()
    {
        await using var test = await ServerUnderTest.StartAsync();

        var answers = await test.ExchangeAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\nG<T / HTTP/1.1\r\nHost: x\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 OK", answers, StringComparison.Ordinal);
        AssertError(answers[answers.LastIndexOf("HTTP/1.1 ", StringComparison.Ordinal)..], 400);
    }

    [Fact]
    public async Task Answer_ThatLooksLikeARefusal_IsNotTouched()
    {
        const string Body = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        await using var test = await ServerUnderTest.StartAsync(ServerUnderTest.Naming with { Http = ServerUnderTest.Says(Body) });

        Assert.EndsWith(Body + "\r\n0\r\n\r\n", await test.ExchangeAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/nowhere", 404)]
    [InlineData("GET", "/", 404)]
    [InlineData("PUT", "/v2/models/text/infer", 405)]
    [InlineData("GET", "/v2/models/text/infer", 405)]
    [InlineData("POST", "/v2/models/none/infer", 404)]
    [InlineData("POST", "/v2/models/text/versions/9/infer", 404)]
    [InlineData("POST", "/v2/models/text/infer", 400)]
    [InlineData("POST", "/v2/models/text/generate", 400)]
    [InlineData("POST", "/v2/models/repeat/infer", 501)]
    [InlineData("POST", "/v2/repository/models/text/load", 0)]
    [InlineData("POST", "/v2/logging", 400)]
    [InlineData("GET", "/v2/cudasharedmemory/status/x", 0)]
    [InlineData("POST", "/v2/systemsharedmemory/region/a/register", 0)]
    [InlineData("GET", "/v2/models/none/ready", 400)]
    [InlineData("GET", "/v2/models/none/config", 0)]
    [InlineData("GET", "/v2/models/none/stats", 0)]
    [InlineData("GET", "/v2/models/none", 0)]
    public async Task Error_OfAnyRoute_HasItsTextUnderError(string method, string target, int status)
    {
        await using var host = await NvcfHost.StartAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://{host.Server.HttpAddress}{target}") { Content = method == "GET" ? null : new StringContent("{") };
        using var response = await client.SendAsync(request);

        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode >= 400 && (status == 0 || status == (int)response.StatusCode), $"{response.StatusCode}: {text}");
        Assert.NotEqual("", JsonDocument.Parse(text).RootElement.GetProperty("error").GetString());
    }

    [Fact]
    public async Task Error_BeforeAStreamsFirstEvent_HasItsStatusAndItsTextUnderError()
    {
        await using var host = await NvcfHost.StartAsync();

        var answer = await host.PostAsync("/v2/models/text/generate_stream", "{", []);

        Assert.Equal(400, answer.Status);
        Assert.NotEqual("", answer.Error);
    }

    [Fact]
    public async Task Body_TooLarge_HasItsTextUnderError()
    {
        await using var host = await NvcfHost.StartAsync(options => options with { HttpMaxInputSize = 10 });

        Assert.Contains("exceeds the maximum", (await host.PostAsync("/v2/models/text/infer", new string(' ', 100), host.Headers())).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Status_OfEveryErrorCode_IsAnError()
        => Assert.All(Enum.GetValues<ErrorCode>(), code => Assert.InRange(HttpErrors.Status(code), 400, 599));

    [Fact]
    public void Amend_NoRoom_LeavesTheRefusal()
    {
        var head = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

        Assert.Equal(head.Length, RefusalBodies.Amend(head, head.Length));
    }

    private static void AssertError(string answer, int status)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var body = answer[(end + 4)..];
        Assert.Contains($"Content-Length: {body.Length}\r\n", answer[..end] + "\r\n", StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json\r\n", answer, StringComparison.Ordinal);
        Assert.NotEqual("", JsonDocument.Parse(body).RootElement.GetProperty("error").GetString());
    }
}
