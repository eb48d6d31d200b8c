using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Runtime.Host.Tests.Http;

namespace Runtime.Host.Tests.OpenApi;

public sealed class OpenApiDocumentTests
{
    private const string Schema = """
        {"INPUT_SCHEMA": {"INPUT0": {"datatype": "STRING", "shape": [2], "required": true, "example": ["a", "b"]}}}
        """;

    private const string Config = """
        max_batch_size: 4
        input { name: 'X' data_type: TYPE_INT8 dims: [ 2 ] } output { name: 'Y' data_type: TYPE_INT8 dims: [ 2 ] }
        parameters { key: 'route' value { string_value: '/say' } } parameters { key: 'health_route' value { string_value: '/health' } }
        """;

    [Fact]
    public async Task Document_WithoutModels_IsTheSnapshot()
    {
        await using var host = new RouterHarness();
        var text = (await host.SendAsync("GET", "/openapi/v1.json")).Body;
        var snapshot = await File.ReadAllTextAsync(Path.Combine(Repository, "schemas", "openapi.json"));
        Assert.Equal(snapshot.TrimEnd(), text.TrimEnd());
    }

    [Fact]
    public async Task Document_WithModels_IsValidOpenApi()
    {
        await using var host = new RouterHarness();
        host.AddBareModel("small", Config);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/small/load")).Status);
        var text = (await host.SendAsync("GET", "/openapi/v1.json")).Body;
        var read = OpenApiDocument.Parse(text, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        var operations = read.Document!.Paths.Values.SelectMany(path => path.Operations!.Values).Select(operation => operation.OperationId).ToArray();
        Assert.Equal(operations.Length, operations.Distinct().Count());
    }

    [Fact]
    public async Task Document_LoadedModel_HasItsInputsOutputsAndPaths()
    {
        await using var host = new RouterHarness();
        host.AddBareModel("small", Config);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/small/load")).Status);
        var paths = (await host.SendAsync("GET", "/openapi/v1.json")).Json.GetProperty("paths");
        var infer = Body(paths, "/v2/models/small/infer");
        var input = infer.GetProperty("schema").GetProperty("properties").GetProperty("inputs").GetProperty("items").GetProperty("properties");
        Assert.Equal("X", input.GetProperty("name").GetProperty("const").GetString());
        Assert.Equal(-128, input.GetProperty("data").GetProperty("items").GetProperty("minimum").GetInt32());
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"inputs":[{"name":"X","shape":[1,2],"datatype":"INT8","data":[0,0]}]}"""), JsonNode.Parse(infer.GetProperty("example").GetRawText())));
        Assert.Equal("X", Body(paths, "/say").GetProperty("schema").GetProperty("required")[0].GetString());
        Assert.True(paths.GetProperty("/health").TryGetProperty("get", out _));

        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/small/unload")).Status);
        var after = (await host.SendAsync("GET", "/openapi/v1.json")).Json.GetProperty("paths");
        Assert.False(after.TryGetProperty("/v2/models/small/infer", out _));
        Assert.False(after.TryGetProperty("/say", out _));
    }

    [Fact]
    public async Task Document_ExampleOfSchema_IsServed()
    {
        await using var host = new RouterHarness();
        host.AddBareModel("words", "input { name: 'INPUT0' data_type: TYPE_STRING dims: [ -1 ] } output { name: 'OUTPUT0' data_type: TYPE_STRING dims: [ -1 ] }", Schema);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/words/load")).Status);
        var example = Body((await host.SendAsync("GET", "/openapi/v1.json")).Json.GetProperty("paths"), "/v2/models/words/generate").GetProperty("example").GetRawText();
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"INPUT0":["a","b"]}"""), JsonNode.Parse(example)));
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/models/words/generate", example)).Status);
    }

    private static string Repository
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory!.FullName, "Runtime.sln")))
            {
                directory = directory.Parent;
            }

            return directory.FullName;
        }
    }

    private static JsonElement Body(JsonElement paths, string path)
        => paths.GetProperty(path).GetProperty("post").GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
}
