using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Runtime.Host.Grpc;
using Runtime.Host.Logging;
using Runtime.Host.Options;
using Runtime.Host.Settings;
using Runtime.Host.Telemetry;
using Runtime.Host.Tests.Grpc;

namespace Runtime.Host.Tests.Telemetry;

public sealed class RequestLogTests
{
    private const string Infer = "/v2/models/numbers/infer";

    [Fact]
    public async Task Infer_Success_TellsTheRequest()
    {
        await using var host = await ObservedHost.StartAsync();

        var (status, body) = await host.PostAsync(Infer, ObservedHost.Body(7), ("NVCF-REQID", "r-1"), ("nvcf-ncaid", "org"), ("NVCF-FUNCTION-ID", "f"), ("NVCF-LARGE-OUTPUT-DIR", "/nowhere"));

        Assert.Equal(200, status);
        var line = await host.RequestAsync();
        Assert.Equal("info", Text(line, "level"));
        Assert.Equal(["http", "infer", "numbers", "1", "a1"], Texts(line, "protocol", "method", "model", "version", "id"));
        Assert.Equal([200, 1, 1], Numbers(line, "status", "batch", "responses"));
        Assert.Equal([ObservedHost.Body(7).Length, body.Length], Numbers(line, "bytes_in", "bytes_out"));
        Assert.InRange(line.GetProperty("queue_us").GetInt64() + line.GetProperty("compute_us").GetInt64(), 0, line.GetProperty("total_us").GetInt64());
        Assert.Equal(["r-1", "org", "f"], Texts(line, "nvcf_reqid", "nvcf_ncaid", "nvcf_function_id"));
        Assert.False(line.TryGetProperty("nvcf_large_output_dir", out _));
        Assert.False(line.TryGetProperty("error", out _));
    }

    [Theory]
    [InlineData("/v2/models/numbers/infer", """{"inputs":[]}""", 400, "InvalidArgument")]
    [InlineData("/v2/models/none/infer", "{}", 404, "NotFound")]
    [InlineData("/v2/models/numbers/versions/9/generate", "{}", 404, "NotFound")]
    public async Task Http_Error_IsToldWithItsCode(string target, string request, int status, string code)
    {
        await using var host = await ObservedHost.StartAsync();

        var (_, body) = await host.PostAsync(target, request);

        var line = await host.RequestAsync();
        Assert.Equal([status], Numbers(line, "status"));
        Assert.Equal([code, JsonDocument.Parse(body).RootElement.GetProperty("error").GetString()!], Texts(line, "error_code", "error"));
    }

    [Fact]
    public async Task Http_ServerFull_TellsOfTheRefusedRequest()
    {
        await using var host = await ObservedHost.StartAsync(options => options with { MaxRequestsInFlight = 1 });
        var first = host.PostAsync("/v2/models/gated/infer", ObservedHost.Body(1, "first"));
        await host.Gate.EnteredAsync();

        await host.PostAsync(Infer, ObservedHost.Body(2), ("NVCF-REQID", "r-2"));

        var refused = await host.RequestAsync();
        Assert.Equal([429], Numbers(refused, "status"));
        Assert.Equal(["numbers", "ResourceExhausted", "r-2"], Texts(refused, "model", "error_code", "nvcf_reqid"));
        host.Gate.Open();
        await first;
        Assert.Equal(["first"], Texts(await host.RequestAsync(), "id"));
    }

    [Fact]
    public async Task Http_ClientLeaves_IsTold()
    {
        await using var host = await ObservedHost.StartAsync();
        using var leaving = new CancellationTokenSource();
        var request = host.PostAsync("/v2/models/gated/infer", ObservedHost.Body(1), leaving.Token);
        await host.Gate.EnteredAsync();

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        var line = await host.RequestAsync();
        Assert.True(line.GetProperty("client_gone").GetBoolean());
        Assert.Equal([499, 0, 0], Numbers(line, "status", "bytes_out", "responses"));
    }

    [Fact]
    public async Task GenerateStream_Decoupled_CountsItsResponses()
    {
        await using var host = await ObservedHost.StartAsync();

        var (_, body) = await host.PostAsync("/v2/models/repeat/generate_stream", """{"id":"s","IN":[4,5,6],"DELAY":[0,0,0],"WAIT":[0]}""");

        var line = await host.RequestAsync();
        Assert.Equal(["generate_stream", "repeat"], Texts(line, "method", "model"));
        Assert.Equal([200, 3, body.Length], Numbers(line, "status", "responses", "bytes_out"));
        Assert.InRange(line.GetProperty("first_response_us").GetInt64(), 0, line.GetProperty("total_us").GetInt64());
    }

    [Fact]
    public async Task OwnRoute_Request_IsToldAsSuch()
    {
        await using var host = await ObservedHost.StartAsync();

        await host.PostAsync("/predict", """{"X":[1,2]}""");

        Assert.Equal(["route", "own"], Texts(await host.RequestAsync(), "method", "model"));
    }

    [Fact]
    public async Task ModelInfer_SuccessAndError_AreTold()
    {
        await using var host = await ObservedHost.StartAsync();
        var request = TestRequests.Infer("numbers", 3);
        request.Inputs[0].Shape.RemoveAt(0);
        request.Id = "g";

        var answer = await host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", request, ("nvcf-reqid", "r-3"));
        await host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", TestRequests.Infer("none", 3));

        var line = await host.RequestAsync();
        Assert.Equal(["grpc", "ModelInfer", "numbers", "1", "g", "r-3"], Texts(line, "protocol", "method", "model", "version", "id", "nvcf_reqid"));
        Assert.Equal([0, 1, request.CalculateSize(), answer.Messages[0].Length], Numbers(line, "status", "responses", "bytes_in", "bytes_out"));
        line = await host.RequestAsync();
        Assert.Equal([(int)GrpcStatusCode.NotFound, 0], Numbers(line, "status", "responses"));
        Assert.Equal(["none", "NotFound"], Texts(line, "model", "error_code"));
    }

    [Fact]
    public async Task ModelInfer_ClientLeaves_IsTold()
    {
        await using var host = await ObservedHost.StartAsync();
        using var leaving = new CancellationTokenSource();
        var request = TestRequests.Infer("gated", 3);
        request.Inputs[0].Shape.RemoveAt(0);
        var call = host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", request, leaving.Token);
        await host.Gate.EnteredAsync();

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        var line = await host.RequestAsync();
        Assert.True(line.GetProperty("client_gone").GetBoolean());
        Assert.Equal([(int)GrpcStatusCode.Cancelled, 0], Numbers(line, "status", "responses"));
    }

    [Fact]
    public async Task ModelStreamInfer_EveryRequest_HasALine()
    {
        await using var host = await ObservedHost.StartAsync();
        byte[] body = [.. Frames.Of(Google.Protobuf.MessageExtensions.ToByteArray(TestRequests.Repeat("one", 4, 5))), .. Frames.Of(Google.Protobuf.MessageExtensions.ToByteArray(TestRequests.Infer("none", 1)))];

        await host.Grpc.CallAsync(GrpcClient.Inference + "ModelStreamInfer", body);

        var lines = new[] { await host.RequestAsync(), await host.RequestAsync() }.OrderBy(line => Text(line, "model"), StringComparer.Ordinal).ToArray();
        Assert.Equal(["none", "NotFound"], Texts(lines[0], "model", "error_code"));
        Assert.Equal([(int)GrpcStatusCode.NotFound], Numbers(lines[0], "status"));
        Assert.Equal(["repeat", "one", "ModelStreamInfer"], Texts(lines[1], "model", "id", "method"));
        Assert.Equal([0, 2], Numbers(lines[1], "status", "responses"));
        Assert.True(lines[1].GetProperty("bytes_out").GetInt64() > 0);
    }

    [Fact]
    public async Task Text_Line_HasTheSameFields()
    {
        await using var host = await ObservedHost.StartAsync(options => options with { LogFormat = "default" });

        await host.PostAsync("/v2/models/none/infer", "{}");

        // Traces are on or off for the process, so other tests may have this request traced.
        Assert.Matches("""^I\d{4} [0-9:.]+ \d+ Requests\] protocol=http method=infer model=none version="" id="" status=404 error="[^"]*'none'[^"]*" error_code=NotFound total_us=\d+ bytes_in=2 bytes_out=\d+ responses=0( trace_id=[0-9a-f]+ span_id=[0-9a-f]+)?$""", await host.LineAsync());
    }

    [Fact]
    public async Task InferenceTag_TextLine_LooksLikeThePlatformsLibrary()
    {
        await using var host = await ObservedHost.StartAsync(options => options with { LogFormat = "default", LogInferenceTag = true });

        await host.PostAsync("/v2/models/none/infer", "{}");

        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[INFO\] \[INFERENCE\] protocol=http method=infer ", await host.LineAsync());
    }

    [Fact]
    public async Task LogRequests_Off_WritesNone()
    {
        await using var host = await ObservedHost.StartAsync(options => options with { LogRequests = false });

        await host.PostAsync(Infer, ObservedHost.Body(7));
        await host.PostAsync("/v2/models/caller/infer", ObservedHost.Body(7));

        // The function's own line is the first there is.
        Assert.Equal("asking", Text(JsonDocument.Parse(await host.LineAsync()).RootElement, "message"));
    }

    [Theory]
    [InlineData("default")]
    [InlineData("json")]
    public void Line_HostileTexts_StayOneLine(string format)
    {
        var record = new RequestRecord("http", "infer");
        record.Name("a\n\ud800\"=", "m b", "");
        record.Fail("one\ntwo");
        var buffer = new ArrayBufferWriter<byte>();

        new LogText(new LogSettings(new HostOptions { LogFormat = format }), new LogEvent(LogLevel.Information, "Requests", DateTimeOffset.UnixEpoch, "") { Request = record }).WriteTo(buffer);

        var line = Encoding.UTF8.GetString(buffer.WrittenSpan);
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.Contains("one\\ntwo", line, StringComparison.Ordinal);
    }

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private static string[] Texts(JsonElement line, params string[] names) => [.. names.Select(name => Text(line, name))];

    private static int[] Numbers(JsonElement line, params string[] names) => [.. names.Select(name => line.GetProperty(name).GetInt32())];
}
