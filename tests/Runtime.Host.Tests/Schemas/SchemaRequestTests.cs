using Runtime.Host.Tests.Http;

namespace Runtime.Host.Tests.Schemas;

/// <summary>Models with an input schema, as their callers meet them.</summary>
public sealed class SchemaRequestTests
{
    private const string Config = """
        input { name: 'prompt' data_type: TYPE_STRING dims: [ -1 ] } output { name: 'out0' data_type: TYPE_STRING dims: [ -1 ] }
        input { name: 'steps' data_type: TYPE_INT8 dims: [ -1 ] optional: true } output { name: 'out1' data_type: TYPE_INT8 dims: [ -1 ] }
        input { name: 'scale' data_type: TYPE_FP32 dims: [ 1 ] optional: true } output { name: 'out2' data_type: TYPE_FP32 dims: [ 1 ] }
        """;

    private const string Schema = """
        {"INPUT_SCHEMA": {
          "prompt": {"datatype": "STRING", "shape": [1], "required": true},
          "steps": {"datatype": "INT8", "shape": [2], "required": true},
          "scale": {"datatype": "FP32", "shape": [1], "required": false}}}
        """;

    [Theory]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["x"]},{"name":"steps","shape":[2],"datatype":"INT8","data":[1,2]}]}""")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1,1],"datatype":"STRING","data":[["x"]]},{"name":"steps","shape":[1,2],"datatype":"INT8","data":[[1,2]]}]}""")]
    public async Task Infer_FormsThatInferlessTakes_AreServed(string body)
    {
        await using var host = await StartAsync();
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/models/m/infer", body)).Status);
    }

    [Theory]
    [InlineData("infer", """{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":[5]},{"name":"steps","shape":[2],"datatype":"INT8","data":[1,512]},{"name":"more","shape":[1],"datatype":"INT8","data":[1]}]}""", "more:unknown prompt:wrong_type steps:out_of_range")]
    [InlineData("infer", """{"inputs":[]}""", "prompt:missing steps:missing")]
    [InlineData("infer", """{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["x"]},{"name":"steps","shape":[3],"datatype":"INT8","data":[1,2,3]}]}""", "steps:wrong_shape")]
    [InlineData("generate", """{"prompt":null,"steps":[1,2,3]}""", "prompt:null steps:wrong_length")]
    [InlineData("generate", """{"temperature":1}""", "prompt:missing steps:missing")]
    [InlineData("infer", """{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["x"]},{"name":"steps","shape":[1,2],"datatype":"INT8","data":[1,[2]]}]}""", "steps:wrong_nesting")]
    [InlineData("generate", """{"prompt":"x","steps":[1,2],"scale":1e39}""", "scale:out_of_range")]
    public async Task Request_EveryFault_IsNamed(string verb, string body, string expected)
    {
        await using var host = await StartAsync();
        var answer = await host.SendAsync("POST", $"/v2/models/m/{verb}", body);
        Assert.Equal(400, answer.Status);
        var details = answer.Json.GetProperty("details").EnumerateArray().Select(detail => $"{detail.GetProperty("input").GetString()}:{detail.GetProperty("code").GetString()}");
        Assert.Equal(expected, string.Join(' ', details.Order(StringComparer.Ordinal)));
        Assert.NotEmpty(answer.Error);
    }

    [Theory]
    [InlineData("""{"INPUT_SCHEMA": {"prompt": {"datatype": "STRING", "shape": [1], "required": true}, "other": {"datatype": "INT8", "shape": [1], "required": true}}}""", "'other' is none of the model's")]
    [InlineData("""{"INPUT_SCHEMA": {"prompt": {"datatype": "FP32", "shape": [1], "required": true}}}""", "'prompt' is FP32, but the model takes BYTES")]
    [InlineData("""{"INPUT_SCHEMA": {"steps": {"datatype": "INT8", "shape": [1], "required": true}}}""", "'prompt' of the model is missing")]
    [InlineData("""{"INPUT_SCHEMA": {"prompt": {"datatype": "TEXT", "shape": [1], "required": true}}}""", "input_schema.json")]
    public async Task Load_SchemaThatDoesNotFit_FailsWithNameAndPlace(string schema, string message)
    {
        await using var host = new RouterHarness();
        host.AddBareModel("m", Config, schema);
        var answer = await host.SendAsync("POST", "/v2/repository/models/m/load");
        Assert.Equal(400, answer.Status);
        Assert.Contains(message, answer.Error, StringComparison.Ordinal);
    }

    private static async Task<RouterHarness> StartAsync()
    {
        var host = new RouterHarness();
        host.AddBareModel("m", Config, Schema);
        Assert.Equal(200, (await host.SendAsync("POST", "/v2/repository/models/m/load")).Status);
        return host;
    }
}
