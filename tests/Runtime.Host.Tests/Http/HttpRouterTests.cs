namespace Runtime.Host.Tests.Http;

public sealed class HttpRouterTests
{
    [Theory]
    [InlineData("GET", "/", 404, "Not Found")]
    [InlineData("POST", "/nothing", 404, "Not Found")]
    [InlineData("GET", "/v2/health/%6Cive", 404, "Not Found")]
    [InlineData("POST", "/v2", 405, "Method Not Allowed")]
    [InlineData("POST", "/v2/health/live", 405, "Method Not Allowed")]
    [InlineData("OPTIONS", "/v2/health/live", 405, "Method Not Allowed")]
    [InlineData("GET", "/v2/models/simple/infer", 405, "Method Not Allowed")]
    [InlineData("DELETE", "/v2/models/simple", 405, "Method Not Allowed")]
    [InlineData("PUT", "/v2/trace/setting", 405, "Method Not Allowed")]
    [InlineData("GET", "/v2/repository/index", 405, "Method Not Allowed")]
    [InlineData("GET", "/v2/systemsharedmemory/region/a/register", 405, "Method Not Allowed")]
    public async Task HandleAsync_WrongPathOrMethod_AnswersLikeTriton(string method, string target, int status, string error)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync(method, target);

        Assert.Equal((status, error), (answer.Status, answer.Error));
        Assert.Equal(status == 405, answer.Allow.Length > 0);
    }

    [Fact]
    public async Task HandleAsync_VersionBeyondInt64_Is400()
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("GET", "/v2/models/simple/versions/99999999999999999999/ready");

        Assert.Equal(400, answer.Status);
        Assert.Contains("failed to get model version from specified version string '99999999999999999999'", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HandleAsync_ServerMetadata_NamesServerVersionAndExtensions()
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("GET", "/v2");

        Assert.Equal("test", answer.Json.GetProperty("name").GetString());
        Assert.DoesNotContain("+", answer.Json.GetProperty("version").GetString(), StringComparison.Ordinal);
        Assert.Contains("binary_tensor_data", answer.Json.GetProperty("extensions").EnumerateArray().Select(extension => extension.GetString()));
    }

    [Theory]
    [InlineData(null, 403)]
    [InlineData("wrong", 403)]
    [InlineData("secret", 200)]
    public async Task HandleAsync_RestrictedGroup_WantsItsHeader(string? value, int status)
    {
        await using var router = new RouterHarness(restricted: "health,metadata:key1=secret");

        var answer = value is null ? await router.SendAsync("GET", "/v2") : await router.SendAsync("GET", "/v2", "", ("KEY1", value));

        Assert.Equal(status, answer.Status);
        Assert.True(status == 200 || answer.Error == "This API is restricted, expecting header 'key1'");
    }

    [Fact]
    public async Task HandleAsync_RestrictedGroup_LeavesOthersAlone()
    {
        await using var router = new RouterHarness(restricted: "metadata:key1=secret");
        Assert.Equal(200, (await router.SendAsync("GET", "/v2/logging")).Status);
    }

    [Theory]
    [InlineData("", 400, "The document is empty")]
    [InlineData("{", 400, "failed to parse the request JSON buffer")]
    [InlineData("{\"log_info\": \"x\"}", 400, "non-boolean as boolean")]
    [InlineData("{\"log_verbose_level\": -1}", 400, "non-unsigned-integer as unsigned-integer")]
    [InlineData("{\"log_verbose_level\": 4294967296}", 400, "log_verbose_level")]
    [InlineData("{\"log_file\": \"x\"}", 501, "log file location can not be updated")]
    [InlineData("{\"log_format\": \"zz\"}", 503, "invalid argument for --log_format, got: zz")]
    public async Task Logging_BadUpdate_AnswersWhy(string body, int status, string error)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("POST", "/v2/logging", body);

        Assert.Equal(status, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", true, 0)]
    [InlineData("[]", true, 0)]
    [InlineData("\uFEFF{\"log_verbose_level\": 2}", true, 2)]
    [InlineData("{\"log_info\": null, \"foo\": 1}", true, 0)]
    [InlineData("{\"log_info\": false, \"log_info\": true}", false, 0)]
    public async Task Logging_Update_AnswersTheNewSettings(string body, bool info, int verbose)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("POST", "/v2/logging", body);

        Assert.Equal(200, answer.Status);
        Assert.Equal((info, verbose), (answer.Json.GetProperty("log_info").GetBoolean(), answer.Json.GetProperty("log_verbose_level").GetInt32()));
    }

    [Theory]
    [InlineData("{\"trace_rate\": 5}", 400, "non-string as string")]
    [InlineData("{\"trace_level\": \"OFF\"}", 400, "non-array as array")]
    [InlineData("{\"trace_file\": \"x\"}", 501, "trace file location can not be updated")]
    [InlineData("", 400, "The document is empty")]
    public async Task Trace_BadUpdate_AnswersWhy(string body, int status, string error)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("POST", "/v2/trace/setting", body);

        Assert.Equal(status, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trace_Update_AnswersTheNewSettings()
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("POST", "/v2/trace/setting", "{\"trace_rate\": \"500\", \"trace_level\": [\"FOO\"], \"x\": 1}");

        Assert.Equal("500", answer.Json.GetProperty("trace_rate").GetString());
        Assert.Equal("OFF", answer.Json.GetProperty("trace_level")[0].GetString());
    }

    [Fact]
    public async Task Body_LargerThanTheLimit_Is400()
    {
        await using var router = new RouterHarness(maxInputSize: 5000);
        var answer = await router.SendAsync("POST", "/v2/logging", new string(' ', 5001) + "{}");

        Assert.Equal(400, answer.Status);
        Assert.Contains("5000", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_FromANamedRepository_IsUnsupported()
    {
        await using var router = new RouterHarness();
        Assert.Equal(501, (await router.SendAsync("POST", "/v2/repository/mine/models/simple/load")).Status);
    }

    [Theory]
    [InlineData("{", "failed to parse the request JSON buffer")]
    [InlineData("{\"parameters\": 5}", "attempt to get members for non-object")]
    [InlineData("{\"parameters\": {\"foo\": \"x\"}}", "unexpected error on creating Triton parameter")]
    [InlineData("{\"parameters\": {\"config\": {}}}", "non-string as string")]
    [InlineData("{\"parameters\": {\"file:1/model.onnx\": 1}}", "non-string as string")]
    [InlineData("{\"parameters\": {\"file:1/model.onnx\": \"?\"}}", "base64")]
    public async Task Load_BadParameters_Is400(string body, string error)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("POST", "/v2/repository/models/simple/load", body);

        Assert.Equal(400, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/systemsharedmemory/register")]
    [InlineData("/v2/systemsharedmemory/region/a/register")]
    [InlineData("/v2/systemsharedmemory/unregister")]
    [InlineData("/v2/cudasharedmemory/region/a/register")]
    [InlineData("/v2/cudasharedmemory/unregister")]
    public async Task SharedMemory_NotAllowed_Is501WhateverTheBody(string target)
    {
        await using var router = new RouterHarness();
        Assert.Equal(501, (await router.SendAsync("POST", target, "{")).Status);
    }

    [Theory]
    [InlineData("/v2/systemsharedmemory/register", "{}", "'region name' is necessary to register system shared memory region")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"byte_size\": 1}", "Shared memory register request has no 'key' field")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"key\": \"/x\"}", "Shared memory register request has no 'byte_size' field")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"key\": 5, \"byte_size\": 1}", "non-string as string")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"key\": \"/x\", \"byte_size\": \"1\"}", "non-unsigned-integer as unsigned-integer")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"key\": \"/x\", \"byte_size\": -1}", "non-unsigned-integer as unsigned-integer")]
    [InlineData("/v2/systemsharedmemory/region/a/register", "{\"key\": \"/no-such-object\", \"byte_size\": 1}", "Unable to open shared memory region: '/no-such-object'")]
    [InlineData("/v2/cudasharedmemory/register", "", "'region name' is necessary to register cuda shared memory region")]
    [InlineData("/v2/cudasharedmemory/region/a/register", "{}", "failed to register CUDA shared memory region: 'a', GPUs not supported")]
    public async Task SharedMemory_BadRegistration_Is400(string target, string body, string error)
    {
        await using var router = new RouterHarness(allowSharedMemory: true);
        var answer = await router.SendAsync("POST", target, body);

        Assert.Equal(400, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/systemsharedmemory/status", 200)]
    [InlineData("/v2/systemsharedmemory/region/a/status", 404)]
    [InlineData("/v2/cudasharedmemory/status", 200)]
    [InlineData("/v2/cudasharedmemory/region/a/status", 404)]
    public async Task SharedMemory_Status_ListsNothingOrTellsSo(string target, int status)
    {
        await using var router = new RouterHarness();
        var answer = await router.SendAsync("GET", target);

        Assert.Equal(status, answer.Status);
        Assert.True(status == 404 || answer.Body == "[]");
    }
}
