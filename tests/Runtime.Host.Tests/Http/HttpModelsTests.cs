using System.Text.Json;
using Runtime.Models;

namespace Runtime.Host.Tests.Http;

public sealed class HttpModelsTests : IAsyncLifetime
{
    private readonly RouterHarness _router = new();

    public async Task InitializeAsync()
    {
        _router.AddModel("m", 1, 3);
        Assert.Equal("", (await _router.SendAsync("POST", "/v2/repository/models/m/load")).Body);
    }

    public Task DisposeAsync() => _router.DisposeAsync().AsTask();

    [Theory]
    [InlineData("/v2/models/m/ready", 200)]
    [InlineData("/v2/models/m/versions/3/ready", 200)]
    [InlineData("/v2/models/m/versions/03/ready", 200)]
    [InlineData("/v2/models/m/versions/2/ready", 400)]
    [InlineData("/v2/models/none/ready", 400)]
    [InlineData("/v2/models/%6D/ready", 400)]
    public async Task Ready_Version_IsTheStatus(string target, int status)
    {
        var answer = await _router.SendAsync("GET", target);

        Assert.Equal(status, answer.Status);
        Assert.True(status == 200 ? answer.Body == "" : answer.Error.StartsWith("Model version not ready", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Health_BeforeStartAndWhileDraining_IsLiveButNotReady()
    {
        Assert.Equal((200, ""), await StatusAndBody("/v2/health/live"));
        Assert.Equal((400, ""), await StatusAndBody("/v2/health/ready"));
        _router.State.Started();
        Assert.Equal((200, ""), await StatusAndBody("/v2/health/ready"));
        _router.State.BeginDraining();
        Assert.Equal((400, ""), await StatusAndBody("/v2/health/ready"));
        Assert.Equal((200, ""), await StatusAndBody("/v2/health/live"));
    }

    [Theory]
    [InlineData("/v2/models/m", "[\"1\",\"3\"]")]
    [InlineData("/v2/models/m/versions/01", "[\"1\"]")]
    public async Task Metadata_Model_HasTheVersionsAskedForAndShapesWithTheBatch(string target, string versions)
    {
        var tensor = """[{"name":"INPUT0","datatype":"BYTES","shape":[-1,4,-1]}]""";

        var answer = await _router.SendAsync("GET", target);

        Assert.Equal($$"""{"name":"m","versions":{{versions}},"platform":"identity","inputs":{{tensor}},"outputs":{{tensor.Replace("IN", "OUT", StringComparison.Ordinal)}}}""", answer.Body);
    }

    [Theory]
    [InlineData("/v2/models/none")]
    [InlineData("/v2/models/m/versions/2")]
    [InlineData("/v2/models/none/config")]
    public async Task Metadata_UnknownModel_Is404(string target)
    {
        var answer = await _router.SendAsync("GET", target);

        Assert.Equal(404, answer.Status);
        Assert.StartsWith("Request for unknown model: '", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_Model_IsTheOneInForce()
    {
        var config = (await _router.SendAsync("GET", "/v2/models/m/config")).Json;

        Assert.Equal(("m", "identity", 8), (config.GetProperty("name").GetString(), config.GetProperty("backend").GetString(), config.GetProperty("max_batch_size").GetInt32()));
    }

    [Theory]
    [InlineData("/v2/models/stats", "1 3")]
    [InlineData("/v2/models/m/stats", "1 3")]
    [InlineData("/v2/models/m/versions/3/stats", "3")]
    public async Task Statistics_Fresh_HasEveryFieldOfTriton(string target, string versions)
    {
        string[] fields = ["name", "version", "last_inference", "inference_count", "execution_count", "inference_stats", "response_stats", "batch_stats", "memory_usage"];

        var models = (await _router.SendAsync("GET", target)).Json.GetProperty("model_stats").EnumerateArray().ToArray();

        Assert.Equal(versions, string.Join(' ', models.Select(model => model.GetProperty("version").GetString())));
        Assert.All(models, model => Assert.Equal(fields, model.EnumerateObject().Select(field => field.Name)));
    }

    [Theory]
    [InlineData("/v2/models/none/stats", "requested model 'none' is not available")]
    [InlineData("/v2/models/m/versions/9/stats", "for model 'm'")]
    public async Task Statistics_UnknownModel_Is400(string target, string error)
    {
        var answer = await _router.SendAsync("GET", target);

        Assert.Equal(400, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "m 1 READY,m 3 READY,other  ")]
    [InlineData("[]", "m 1 READY,m 3 READY,other  ")]
    [InlineData("{\"ready\": false}", "m 1 READY,m 3 READY,other  ")]
    [InlineData("{\"ready\": true}", "m 1 READY,m 3 READY")]
    public async Task Index_Models_LeavesOutWhatIsNotKnown(string body, string expected)
    {
        _router.AddModel("other");

        var answer = await _router.SendAsync("POST", "/v2/repository/index", body);

        Assert.Equal(expected, string.Join(',', answer.Json.EnumerateArray().Select(line => $"{line.GetProperty("name")} {Text(line, "version")} {Text(line, "state")}")));
    }

    [Fact]
    public async Task Index_ReadyIsNoBoolean_Is400()
        => Assert.Equal("Invalid value for 'ready': expected a boolean", (await _router.SendAsync("POST", "/v2/repository/index", "{\"ready\": \"x\"}")).Error);

    [Fact]
    public async Task Unload_Model_TakesItOutOfEverything()
    {
        Assert.Equal((200, ""), await StatusAndBody("/v2/repository/models/m/unload", "POST", "{\"parameters\": {\"unload_dependents\": \"x\"}}"));

        Assert.Equal(400, (await _router.SendAsync("GET", "/v2/models/m/ready")).Status);
        Assert.Equal(404, (await _router.SendAsync("GET", "/v2/models/m")).Status);
        Assert.DoesNotContain("model=\"m\"", (await _router.MetricsAsync()).Body, StringComparison.Ordinal);
        Assert.Equal((200, ""), await StatusAndBody("/v2/repository/models/none/unload", "POST"));
        Assert.Equal(400, (await _router.SendAsync("POST", "/v2/repository/models/m/unload", "{")).Status);
    }

    [Fact]
    public async Task Load_ConfigOfTheRequest_IsInForce()
    {
        var body = JsonSerializer.Serialize(new
        {
            parameters = new
            {
                config = """
                    {"backend": "identity", "max_batch_size": 2, "input": [{"name": "A", "data_type": "TYPE_INT32", "dims": [1]}],
                     "output": [{"name": "B", "data_type": "TYPE_INT32", "dims": [1]}]}
                    """,
            },
        });

        Assert.Equal((200, ""), await StatusAndBody("/v2/repository/models/m/load", "POST", body));

        Assert.Equal(2, (await _router.SendAsync("GET", "/v2/models/m/config")).Json.GetProperty("max_batch_size").GetInt32());
    }

    [Fact]
    public async Task Load_UnknownModel_SaysSo()
        => Assert.Contains("failed to load 'none'", (await _router.SendAsync("POST", "/v2/repository/models/none/load")).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("load")]
    [InlineData("unload")]
    public async Task LoadAndUnload_ModeNone_AreUnavailable(string action)
    {
        await using var router = new RouterHarness(mode: ModelControlMode.None);

        Assert.Equal(503, (await router.SendAsync("POST", $"/v2/repository/models/m/{action}")).Status);
    }

    [Fact]
    public async Task Trace_Model_FallsBackToTheServerAndMustExist()
    {
        await _router.SendAsync("POST", "/v2/trace/setting", "{\"trace_count\": \"5\"}");

        var model = await _router.SendAsync("POST", "/v2/models/m/trace/setting", "{\"trace_rate\": \"7\"}");
        var missing = await _router.SendAsync("GET", "/v2/models/none/trace/setting");

        Assert.Equal(("7", "5"), (model.Json.GetProperty("trace_rate").GetString(), model.Json.GetProperty("trace_count").GetString()));
        Assert.Equal((400, "Request for unknown model : none"), (missing.Status, missing.Error));
    }

    [Theory]
    [InlineData("GET", "/metrics", 200)]
    [InlineData("GET", "/", 200)]
    [InlineData("GET", "/v2/health/live", 200)]
    [InlineData("POST", "/metrics", 405)]
    [InlineData("HEAD", "/metrics", 405)]
    public async Task Metrics_AnyPath_ListsServingVersions(string method, string target, int status)
    {
        var answer = await _router.MetricsAsync(method, target);

        Assert.Equal(status, answer.Status);
        Assert.Equal(status == 200, answer.Body.Contains("nv_inference_count{model=\"m\",version=\"3\"} 0\n", StringComparison.Ordinal));
    }

    private async Task<(int, string)> StatusAndBody(string target, string method = "GET", string body = "")
    {
        var answer = await _router.SendAsync(method, target, body);
        return (answer.Status, answer.Body);
    }

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
