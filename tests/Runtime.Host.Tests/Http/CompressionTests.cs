using System.IO.Compression;
using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

[Collection("pool")]
public sealed class CompressionTests : IDisposable
{
    private readonly long _lent = TensorPool.Shared.Outstanding;

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    private static readonly byte[] Body = """{"inputs":[{"name":"INPUT0","shape":[2],"datatype":"INT32","data":[1,2]}]}"""u8.ToArray();

    [Theory]
    [InlineData("gzip", false, 200)]
    [InlineData("deflate", false, 200)]
    [InlineData("GZIP", true, 400)]
    [InlineData("deflate", true, 400)]
    [InlineData("br", false, 501)]
    public async Task Serve_CompressedBody_IsInflated(string encoding, bool isCut, int status)
    {
        var packed = Pack(Body, encoding);
        var answer = await InferAsync(isCut ? packed[..^9] : packed, ("Content-Encoding", encoding));
        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task Serve_SecondGzipMember_IsRefused()
    {
        var packed = Pack(Body, "gzip");
        Assert.Equal(400, (await InferAsync([.. packed, .. Pack("  "u8.ToArray(), "gzip")], headers: ("Content-Encoding", "gzip"))).Status);
    }

    [Theory]
    [InlineData("identity", false)]
    [InlineData("identity", true)]
    [InlineData("gzip", false)]
    public async Task Serve_BodyBeyondLimit_Answers400(string encoding, bool isChunked)
    {
        using var model = EchoModel.Create(DataType.Int32);
        var endpoint = new InferEndpoint(null!, new HostOptions { HttpMaxInputSize = 1000 }, new SharedMemoryRegions(), null!);
        byte[] body = [.. Body, .. Enumerable.Repeat((byte)' ', 1000)];
        (string, string)[] headers = [("Content-Encoding", encoding), .. isChunked ? new[] { ("Transfer-Encoding", "chunked") } : []];
        var answer = await HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model), encoding == "gzip" ? Pack(body, encoding) : body, 100, headers);
        Assert.Equal(400, answer.Status);
        Assert.Contains("--http-max-input-size", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("GZIP;q=0.5", "gzip")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("deflate, gzip", "deflate")]
    [InlineData("gzip;q=0.1, deflate;q=0.2", "deflate")]
    [InlineData("identity;q=1, gzip;q=0.5", null)]
    [InlineData("gzip;q=0", null)]
    [InlineData("gzip;q=x", null)]
    [InlineData("*", null)]
    [InlineData("br", null)]
    public async Task Serve_AcceptEncoding_IsHonoured(string accept, string? expected)
    {
        var answer = await InferAsync(Body, ("Accept-Encoding", accept));
        Assert.Equal(expected, answer.Headers.ContentEncoding.FirstOrDefault());
        using var packed = new MemoryStream(answer.Body);
        using Stream stream = expected switch { "gzip" => new GZipStream(packed, CompressionMode.Decompress), "deflate" => new ZLibStream(packed, CompressionMode.Decompress), _ => packed };
        Assert.EndsWith("\"data\":[1,2]}]}", await new StreamReader(stream).ReadToEndAsync(), StringComparison.Ordinal);
    }

    private static byte[] Pack(byte[] bytes, string encoding)
    {
        using var packed = new MemoryStream();
        using (Stream stream = encoding == "deflate" ? new ZLibStream(packed, CompressionMode.Compress) : new GZipStream(packed, CompressionMode.Compress))
        {
            stream.Write(bytes);
        }

        return packed.ToArray();
    }

    private static async Task<HttpAnswer> InferAsync(byte[] body, params (string, string)[] headers)
    {
        using var model = EchoModel.Create(DataType.Int32);
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        return await HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model), body, int.MaxValue, headers);
    }
}
