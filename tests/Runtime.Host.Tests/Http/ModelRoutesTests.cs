using Runtime.Models;

namespace Runtime.Host.Tests.Http;

/// <summary>Paths that models claim by their parameters.</summary>
public sealed class ModelRoutesTests
{
    private const string Echo = "parameters { key: 'route' value { string_value: '/echo' } } parameters { key: 'health_route' value { string_value: '/health' } }";

    [Fact]
    public async Task Post_OwnPath_TakesInputsAndAnswersOutputsAsOneObject()
    {
        await using var host = await StartAsync(Echo);
        var answer = await host.SendAsync("POST", "/echo?x=1", """{"INPUT0":["a","b","c","d"]}""");
        Assert.Equal((200, """{"OUTPUT0":["a","b","c","d"]}"""), (answer.Status, answer.Body));
    }

    [Theory]
    [InlineData("""{"INPUT0":["a","b","c","d"]}""", "text/html, text/event-stream;q=0.9")]
    [InlineData("""{"INPUT0":["a","b","c","d"],"stream":true}""", "*/*")]
    public async Task Post_AskingForEvents_Streams(string body, string accept)
    {
        await using var host = await StartAsync(Echo);
        var answer = await host.SendAsync("POST", "/echo", body, ("Accept", accept));
        Assert.Equal("""data: {"OUTPUT0":["a","b","c","d"]}""" + "\n\n", answer.Body);
    }

    [Theory]
    [InlineData("""{"X":["one\ntwo\r\nthree"]}""", "*/*", "\"one\\ntwo\\r\\nthree\"")]
    [InlineData("""{"X":["one\ntwo\r\nthree"]}""", "text/event-stream", "data: one\ndata: two\ndata: three\n\n")]
    [InlineData("""{"X":["a","b"]}""", "text/event-stream", "data: [\"a\",\"b\"]\n\n")]
    public async Task Post_RouteOutput_IsTheWholeAnswer(string body, string accept, string expected)
    {
        await using var host = new RouterHarness(mode: ModelControlMode.None);
        host.AddBareModel("text", """
            input { name: 'X' data_type: TYPE_STRING dims: [ -1 ] } output { name: 'Y' data_type: TYPE_STRING dims: [ -1 ] }
            parameters { key: 'route' value { string_value: '/say' } } parameters { key: 'route_output' value { string_value: 'Y' } }
            """);
        Assert.Empty(await host.Models.StartAsync(CancellationToken.None));
        Assert.Equal(expected, (await host.SendAsync("POST", "/say", body, ("Accept", accept))).Body);
    }

    [Fact]
    public async Task OwnPath_OtherMethodsPathsAndFaults_AreRefused()
    {
        await using var host = await StartAsync(Echo);
        var get = await host.SendAsync("GET", "/echo");
        Assert.Equal((405, "POST"), (get.Status, get.Allow));
        Assert.Equal(404, (await host.SendAsync("POST", "/echo/", "{}")).Status);
        Assert.Equal(404, (await host.SendAsync("POST", "/Echo", "{}")).Status);
        var fault = await host.SendAsync("POST", "/echo", "{}");
        Assert.Equal(400, fault.Status);
        Assert.Contains("missing required input(s) ['INPUT0']", fault.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HealthRoute_FollowsTheModel()
    {
        await using var host = await StartAsync(Echo);
        host.State.Started();
        var healthy = await host.SendAsync("GET", "/health");
        Assert.Equal((200, """{"status":"OK"}"""), (healthy.Status, healthy.Body));
        Assert.Equal(405, (await host.SendAsync("POST", "/health", "{}")).Status);
        host.State.EndReadiness();
        Assert.Equal(503, (await host.SendAsync("GET", "/health")).Status);
    }

    [Theory]
    [InlineData("/v2/echo", "belong to the protocol")]
    [InlineData("/v2", "belong to the protocol")]
    [InlineData("/metrics", "belong to the protocol")]
    [InlineData("/openapi/mine", "belong to the protocol")]
    [InlineData("echo", "must be a path such as /predict")]
    [InlineData("/echo/", "must be a path such as /predict")]
    [InlineData("/e%63ho", "must be a path such as /predict")]
    [InlineData("/a//b", "must be a path such as /predict")]
    [InlineData("/a b", "must be a path such as /predict")]
    [InlineData("/taken", "is already model 'first''s")]
    public async Task Load_PathThatCannotBeHad_FailsWithIt(string path, string message)
    {
        await using var host = new RouterHarness();
        host.AddModel("first", Route("/taken"), 1);
        host.AddModel("second", Route(path), 1);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/first/load")).Status);
        var answer = await host.SendAsync("POST", "/v2/repository/models/second/load");
        Assert.Equal(400, answer.Status);
        Assert.Contains(message, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TwoModelsWithOnePath_OnlyOneOfThemLoads()
    {
        await using var host = new RouterHarness(mode: ModelControlMode.None);
        host.AddModel("first", Route("/same"), 1);
        host.AddModel("second", Route("/same"), 1);
        var failure = Assert.Single(await host.Models.StartAsync(CancellationToken.None));
        Assert.Contains("path '/same' is already model", failure.Reason, StringComparison.Ordinal);
        Assert.Equal(200, (await host.SendAsync("POST", "/same", """{"INPUT0":["a","b","c","d"]}""")).Status);
    }

    [Fact]
    public async Task Unload_GivesThePathToOthers()
    {
        await using var host = new RouterHarness();
        host.AddModel("first", Route("/taken"), 1);
        host.AddModel("second", Route("/taken"), 1);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/first/load")).Status);
        Assert.Equal(400, (await host.SendAsync("POST", "/v2/repository/models/second/load")).Status);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/first/unload")).Status);
        Assert.Equal(404, (await host.SendAsync("POST", "/taken", "{}")).Status);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/second/load")).Status);
        Assert.Equal(200, (await host.SendAsync("POST", "/taken", """{"INPUT0":["a","b","c","d"]}""")).Status);
    }

    [Fact]
    public async Task Reload_WithAnotherPath_LeavesTheOld()
    {
        await using var host = new RouterHarness();
        host.AddModel("first", Route("/old"), 1);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/first/load")).Status);
        host.AddModel("first", Route("/new"), 1);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/first/load")).Status);
        Assert.Equal(404, (await host.SendAsync("POST", "/old", "{}")).Status);
        Assert.Equal(200, (await host.SendAsync("POST", "/new", """{"INPUT0":["a","b","c","d"]}""")).Status);
    }

    private static string Route(string path) => $"parameters {{ key: 'route' value {{ string_value: '{path}' }} }}";

    private static async Task<RouterHarness> StartAsync(string config)
    {
        var host = new RouterHarness(mode: ModelControlMode.None);
        host.AddModel("echo", config, 1);
        Assert.Empty(await host.Models.StartAsync(CancellationToken.None));
        return host;
    }
}
