using System.Buffers.Binary;
using System.Text;
using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

[Collection("pool")]
public sealed class BinaryTensorTests : IDisposable
{
    private readonly long _lent = TensorPool.Shared.Outstanding;

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    [Theory]
    [InlineData(1, false)]
    [InlineData(int.MaxValue, false)]
    [InlineData(1, true)]
    public async Task Serve_BinaryTensors_ComeBackAsBytes(int chunk, bool isChunked)
    {
        var json = """{"inputs":[{"name":"INPUT0","shape":[2],"datatype":"INT32","parameters":{"binary_data_size":8}},{"name":"INPUT1","shape":[1],"datatype":"INT32","data":[7]}],"parameters":{"binary_data_output":true}}""";
        byte[] tail = [1, 0, 0, 0, 2, 0, 0, 0];
        (string, string)[] headers = [("Inference-Header-Content-Length", $"{json.Length}abc"), .. isChunked ? new[] { ("Transfer-Encoding", "chunked") } : []];
        using var model = EchoModel.Create(DataType.Int32, tensors: 2);
        var answer = await SendAsync(model, [.. Encoding.UTF8.GetBytes(json), .. tail], chunk, headers);
        Assert.Equal(200, answer.Status);
        Assert.Equal("application/octet-stream", answer.Headers.ContentType);
        var size = int.Parse(answer.Headers["Inference-Header-Content-Length"]!, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(
            """{"model_name":"echo","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[2],"parameters":{"binary_data_size":8}},{"name":"OUTPUT1","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":4}}]}""",
            Encoding.UTF8.GetString(answer.Body, 0, size));
        Assert.Equal([.. tail, 7, 0, 0, 0], answer.Body[size..]);
    }

    [Theory]
    [InlineData("abc", 8, "Unable to parse Inference-Header-Content-Length, got: abc")]
    [InlineData("-1", 8, "should be in range (0,")]
    [InlineData("100000", 8, "should be in range (0, {body}), got: 100000")]
    [InlineData("2147483648", 8, "should be in range")]
    [InlineData("1180591620717411303424", 8, "should be in range")]
    [InlineData("{json}", 4, "unexpected size for input 'INPUT0', expecting 4 additional bytes for model 'echo'")]
    [InlineData("{json}", 9, "unexpected additional input data for model 'echo'")]
    public async Task Serve_BinaryFault_AnswersWhatIsWrong(string header, int tail, string message)
    {
        var json = """{"inputs":[{"name":"INPUT0","shape":[2],"datatype":"INT32","parameters":{"binary_data_size":8}}]}""";
        header = header.Replace("{json}", $"{json.Length}", StringComparison.Ordinal);
        message = message.Replace("{body}", $"{json.Length + tail}", StringComparison.Ordinal);
        foreach (var chunked in new[] { false, true })
        {
            using var model = EchoModel.Create(DataType.Int32);
            (string, string)[] headers = [("Inference-Header-Content-Length", header), .. chunked ? new[] { ("Transfer-Encoding", "chunked") } : []];
            var answer = await SendAsync(model, [.. Encoding.UTF8.GetBytes(json), .. new byte[tail]], 5, headers);
            Assert.Equal(400, answer.Status);
            Assert.Contains(chunked && message.Contains("got: 1000", StringComparison.Ordinal) ? "got: 100000" : message, answer.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Serve_RawRequest_ShapeFollowsFromLength(bool isChunked)
    {
        using var model = EchoModel.Create(DataType.Fp32, maxBatchSize: 4);
        byte[] body = [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64];
        (string, string)[] headers = [("Inference-Header-Content-Length", "0"), .. isChunked ? new[] { ("Transfer-Encoding", "chunked") } : []];
        var answer = await SendAsync(model, body, 5, headers);
        Assert.Contains("\"shape\":[1,3],\"parameters\":{\"binary_data_size\":12}", answer.Text, StringComparison.Ordinal);
        Assert.Equal(body, answer.Body[^12..]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Serve_EmptyBody_IsARawRequestOfNothing(bool isChunked)
    {
        using var model = EchoModel.Create(DataType.Fp32, maxBatchSize: 4);
        (string, string)[] headers = isChunked ? [("Transfer-Encoding", "chunked")] : [];

        var answer = await SendAsync(model, [], headers: headers);

        Assert.Equal(200, answer.Status);
        Assert.Contains("\"shape\":[1,0]", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_RawStrings_AreOneElement()
    {
        using var model = EchoModel.Create(DataType.Bytes);
        var answer = await SendAsync(model, "abc"u8.ToArray(), headers: ("Inference-Header-Content-Length", "0"));
        Assert.Equal(3, BinaryPrimitives.ReadInt32LittleEndian(answer.Body.AsSpan()[^7..]));
        Assert.Equal("abc"u8.ToArray(), answer.Body[^3..]);
    }

    [Fact]
    public async Task Serve_StringsThatAreNotText_AdvisesBinaryData()
    {
        using var model = EchoModel.Create(DataType.Bytes);
        var json = """{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}""";
        var answer = await SendAsync(model, [.. Encoding.UTF8.GetBytes(json), 2, 0, 0, 0, 0xFF, 0xFE], headers: ("Inference-Header-Content-Length", $"{json.Length}"));
        Assert.Equal(400, answer.Status);
        Assert.Contains("output 'OUTPUT0'", answer.Text, StringComparison.Ordinal);
    }

    private static Task<HttpAnswer> SendAsync(Model model, byte[] body, int chunk = int.MaxValue, params (string, string)[] headers)
    {
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        return HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model), body, chunk, headers);
    }
}
