using System.Net;
using System.Text;
using Runtime.Host.Http;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

[Collection("pool")]
public sealed class GenerateEndpointTests : IDisposable
{
    private const string Decoupled = """
        {"name":"repeat","input":[{"name":"IN","dataType":"TYPE_INT32","dims":[-1]}],"output":[{"name":"OUT","dataType":"TYPE_INT32","dims":[1]}],"modelTransactionPolicy":{"decoupled":true}}
        """;

    private readonly long _lent = TensorPool.Shared.Outstanding;

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    [Theory]
    [InlineData(DataType.Bytes, 0, """{"INPUT0":"h\u00e9 \"q\"\n"}""", "\"OUTPUT0\":\"hé \\\"q\\\"\\n\"")]
    [InlineData(DataType.Bytes, 0, """{"INPUT0":""}""", "\"OUTPUT0\":\"\"")]
    [InlineData(DataType.Bytes, 0, """{"INPUT0":["a","b"],"INPUT0":5}""", "\"OUTPUT0\":[\"a\",\"b\"]")]
    [InlineData(DataType.Fp32, 0, """{"INPUT0":1.5}""", "\"OUTPUT0\":1.5")]
    [InlineData(DataType.Fp32, 4, """{"INPUT0":[[1,2],[3]]}""", "\"OUTPUT0\":[1.0,2.0,3.0]")]
    [InlineData(DataType.Fp16, 0, """{"INPUT0":[1,2]}""", "\"OUTPUT0\":[1.0,2.0]")]
    [InlineData(DataType.Bool, 0, """{"INPUT0":[true]}""", "\"OUTPUT0\":true")]
    [InlineData(DataType.Int64, 0, """{"INPUT0":7,"temperature":0.5,"stream":false,"parameters":{"a":"b"}}""", "\"OUTPUT0\":7")]
    public async Task Serve_Inputs_BecomeTensors(DataType type, int maxBatchSize, string body, string expected)
    {
        using var model = EchoModel.Create(type, maxBatchSize: maxBatchSize);
        var answer = await SendAsync(model, body, stream: false);
        Assert.Equal($$"""{"model_name":"echo","model_version":"1",{{expected}}}""", answer.Text);
        Assert.Equal($"data: {answer.Text}\n\n", (await SendAsync(model, body, stream: true)).Text);
    }

    [Fact]
    public async Task Serve_Id_ComesBack()
    {
        using var model = EchoModel.Create(DataType.Int32);
        Assert.StartsWith("{\"id\":\"77\",", (await SendAsync(model, """{"id":"77","INPUT0":1}""", stream: false)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DataType.Bytes, """{"INPUT0":5}""", "non-string as string")]
    [InlineData(DataType.Bytes, """{"INPUT0":null}""", "non-string as string")]
    [InlineData(DataType.Bytes, """{"INPUT0":"a""", "failed to parse")]
    [InlineData(DataType.Int32, """{"INPUT0":"x"}""", "non-signed-integer")]
    [InlineData(DataType.Int32, """{"INPUT0":{}}""", "non-signed-integer")]
    [InlineData(DataType.Int32, """{"INPUT0":[1,2}""", "failed to parse")]
    [InlineData(DataType.Int32, """{"INPUT0":""", "failed to parse")]
    [InlineData(DataType.Int32, """{"INPUT0":1,"x":{}}""", "parameter 'x' has invalid type")]
    [InlineData(DataType.Int32, "", "The document is empty. at 0")]
    [InlineData(DataType.Int32, "{", "failed to parse")]
    [InlineData(DataType.Int32, "[]", "attempt to get members for non-object")]
    [InlineData(DataType.Int32, "{}", "expected 1 inputs but got 0 inputs")]
    public async Task Serve_Fault_AnswersWhatIsWrong(DataType type, string body, string message)
    {
        using var model = EchoModel.Create(type);
        var answer = await SendAsync(model, body, stream: false);
        Assert.Equal(400, answer.Status);
        Assert.Contains(message, answer.Text, StringComparison.Ordinal);
        var events = await SendAsync(model, body, stream: true);
        Assert.Equal(400, events.Status);
        Assert.StartsWith("{\"error\":", events.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_ElementsThatDoNotFill_AreRefused()
    {
        using var model = EchoModel.Create("""{"name":"m","input":[{"name":"IN","dataType":"TYPE_INT32","dims":[4]}],"output":[{"name":"OUT","dataType":"TYPE_INT32","dims":[4]}]}""");
        Assert.Contains("The schema can not convert input 'IN' to tensor with proper shape", (await SendAsync(model, """{"IN":[1,2]}""", stream: false)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_DecoupledModel_StreamsEachResponse()
    {
        using var model = EchoModel.Create(Decoupled);
        var head = "data: {\"model_name\":\"repeat\",\"model_version\":\"1\",\"OUT\":";
        Assert.Equal($"{head}4}}\n\n{head}2}}\n\n", (await SendAsync(model, """{"IN":[4,2]}""", stream: true)).Text);
        Assert.Equal(200, (await SendAsync(model, """{"IN":[4]}""", stream: false)).Status);
        Assert.Contains("exactly 1 response", (await SendAsync(model, """{"IN":[4,2]}""", stream: false)).Text, StringComparison.Ordinal);
        Assert.Contains("exactly 1 response", (await SendAsync(model, """{"IN":[]}""", stream: false)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_ErrorAfterFirstEvent_IsAnEvent()
    {
        using var model = EchoModel.Create(Decoupled);
        var endpoint = new GenerateEndpoint(null!, new HostOptions(), null!);
        await using var server = await LocalServer.StartAsync(context => endpoint.ServeAsync(context, model, GenerateForm.Streaming));
        using var content = new StringContent("""{"IN":[4,-1]}""");
        using var answer = await server.Client.PostAsync(new Uri("/", UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        var events = (await answer.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, events.Length);
        Assert.Equal("event: error\ndata: {\"error\":\"negative element\"}", events[1]);

        using var first = new StringContent("""{"IN":[-1]}""");
        using var refused = await server.Client.PostAsync(new Uri("/", UriKind.Relative), first);
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Equal("{\"error\":\"negative element\"}", await refused.Content.ReadAsStringAsync());
    }

    private static Task<HttpAnswer> SendAsync(Model model, string body, bool stream)
    {
        var endpoint = new GenerateEndpoint(null!, new HostOptions(), null!);
        return HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model, stream ? GenerateForm.Streaming : GenerateForm.Single), Encoding.UTF8.GetBytes(body));
    }
}
