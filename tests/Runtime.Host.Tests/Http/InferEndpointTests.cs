using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Http;

[Collection("pool")]
public sealed class InferEndpointTests : IDisposable
{
    private readonly long _lent = TensorPool.Shared.Outstanding;

    public void Dispose() => Assert.Equal(_lent, TensorPool.Shared.Outstanding);

    public static TheoryData<string, string> Values => new()
    {
        { "BOOL", "true,false" },
        { "UINT8", "0,255" },
        { "UINT16", "0,65535" },
        { "UINT32", "0,4294967295" },
        { "UINT64", "0,18446744073709551615" },
        { "INT8", "-128,127" },
        { "INT16", "-32768,32767" },
        { "INT32", "-2147483648,2147483647" },
        { "INT64", "-9223372036854775808,9223372036854775807" },
        { "FP16", "1.5,-65500.0" },
        { "BF16", "1.5,-0.0" },
        { "FP32", "0.1,-3.4028235e38" },
        { "FP64", "0.1,-1E+308" },
        { "FP32", "NaN,-Infinity" },
        { "FP64", "NaN,Infinity" },
        { "BYTES", "\"\",\"w\u00f6rld \\\"q\\\" \\\\ \\n\\u0001\"" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Serve_EveryDatatype_ComesBackAsItWasSent(string type, string data)
    {
        Assert.True(DataTypes.TryParse(type, out var dataType));
        var answer = await InferAsync(dataType, Json(type, "[2]", $"[{data}]"));
        Assert.Equal($$"""{"model_name":"echo","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"{{type}}","shape":[2],"data":[{{data}}]}]}""", answer.Text);
        Assert.Equal(200, answer.Status);
    }

    [Theory]
    [InlineData("[ 1 , 2 ]")]
    [InlineData("[[1],[2]]")]
    [InlineData("[[[1,2]],[]]")]
    [InlineData("[[],1,2]")]
    public async Task Serve_NestedData_IsFlattened(string data)
        => Assert.EndsWith("\"data\":[1,2]}]}", (await InferAsync(DataType.Int32, Json("INT32", "[2]", data))).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"inputs":[{"data":[1,2],"datatype":"INT32","shape":[2],"name":"INPUT0"}]}""")]
    [InlineData("""{"id":"a","id":"b","x":{"y":[]},"inputs":[{"name":"INPUT0","parameters":5,"data":[1,2],"shape":[2],"datatype":"INT32"}],"inputs":7}""")]
    [InlineData("\uFEFF {\"inputs\":[{\"name\":\"INPUT\\u0030\",\"shape\":[2],\"datatype\":\"INT32\",\"parameters\":{\"x\":[]},\"data\":[1,2],\"data\":null}]} ")]
    public async Task Serve_OtherOrderOrForm_IsUnderstood(string body)
        => Assert.EndsWith("\"data\":[1,2]}]}", (await InferAsync(DataType.Int32, body)).Text, StringComparison.Ordinal);

    public static TheoryData<string, string> Faults => new()
    {
        { "", "Raw request must only have 1 input" },
        { "{", "failed to parse the request JSON buffer" },
        { "nonsense", "failed to parse the request JSON buffer" },
        { "[]", "non-existing object member 'inputs'" },
        { "{}", "non-existing object member 'inputs'" },
        { """{"inputs":null}""", "JSON non-array as array" },
        { """{"inputs":[5]}""", "non-object" },
        { """{"inputs":[{}]}""", "'name'" },
        { """{"inputs":[{"name":5}]}""", "JSON non-string as string" },
        { """{"inputs":[],"id":null}""", "Unable to parse 'id'" },
        { """{"inputs":[]} x""", "failed to parse" },
        { """{"inputs":[],}""", "failed to parse" },
        { """{"inputs":[],"parameters":[]}""", "non-object" },
        { """{"inputs":[],"parameters":{"triton_x":1}}""", "reserved" },
        { """{"inputs":[],"parameters":{"headers":{}}}""", "'headers' has invalid type" },
        { """{"inputs":[],"parameters":{"priority":-1}}""", "Unable to parse 'priority'" },
        { """{"inputs":[],"parameters":{"binary_data_output":1}}""", "Unable to parse 'binary_data_output'" },
        { """{"inputs":[],"outputs":{}}""", "Unable to parse 'outputs'" },
        { """{"inputs":[],"outputs":[{"name":"OUTPUT0","parameters":{"classification":"1"}}]}""", "Unable to set 'classification'" },
        { "{\"id\":\"\\ud800\",\"inputs\":[]}", "failed to parse" },
        { Json("INT32", "[2]", "[1]"), "shape does not match true shape" },
        { Json("INT32", "[2]", "[1,2,3]"), "Shape does not match true shape" },
        { Json("INT32", "[2]", "[1,2"), "failed to parse" },
        { Json("INT32", "[2]", "[1 2]"), "failed to parse" },
        { Json("INT32", "[2]", "[1,]"), "index 1" },
        { Json("INT32", "[2]", "[1,2]]"), "failed to parse" },
        { Json("INT32", "[2]", "null"), "Unable to parse 'data'" },
        { Json("INT32", "[2]", "[1,2147483648]"), "2147483648 is out of the range of INT32, -2147483648 to 2147483647 (input 'INPUT0', index 1" },
        { Json("UINT8", "[2]", "[1,-1]"), "0 to 255" },
        { Json("INT32", "[1]", "[1e2]"), "non-signed-integer" },
        { Json("INT32", "[1]", "[1.0]"), "non-signed-integer" },
        { Json("INT32", "[1]", "[01]"), "failed to parse" },
        { Json("INT32", "[1]", "[true]"), "non-signed-integer" },
        { Json("BOOL", "[1]", "[1]"), "non-boolean" },
        { Json("FP32", "[1]", "[null]"), "non-number" },
        { Json("BYTES", "[1]", "[1]"), "non-string" },
        { Json("BYTES", "[1]", "[\"\\ud800\"]"), "failed to parse" },
        { Json("BYTES", "[1]", "[{\"a\":\"b\"}]"), "non-string" },
        { Json("FP16", "[1]", "[1]"), "Please use the binary data format" },
        { Json("int32", "[1]", "[1]"), "invalid datatype for input INPUT0" },
        { Json("INT32", "[-1]", "[1]"), "Unable to parse 'shape'" },
        { Json("INT32", "[4611686018427387904]", "[1]"), "byte size overflow" },
        { Json("INT32", "[4611686018427387904,4]", "[1]"), "invalid shape" },
        { Json("INT32", "[100000000]", "[1]"), "--http-max-input-size" },
        { Json("INT32", "[10000000]", "[1]"), "needs 10000000 elements" },
        { Json("INT32", "[1]", new string('[', 200) + new string(']', 200)), "nested deeper" },
        { """{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"INT32"}]}""", "But no field is set" },
        { """{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"INT32","data":[1],"parameters":{"binary_data_size":4}}]}""", "But set 'data' 'binary_data_size'" },
        { """{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"INT32","parameters":{"binary_data_size":64}}]}""", "expecting 64 additional bytes for model 'echo'" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Serve_Fault_AnswersWhatIsWrong(string body, string message)
    {
        var answer = await InferAsync(DataType.Int32, body, tensors: 2, halfPrecision: false);
        Assert.Equal(400, answer.Status);
        Assert.Contains(message, JsonDocument.Parse(answer.Body).RootElement.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_BodyCutAnywhere_AnswersAnError()
    {
        using var model = EchoModel.Create(DataType.Bytes, tensors: 2);
        var text = """{"id":"\u00e9x","parameters":{"a":1.5,"b":"c"},"inputs":[{"name":"INPUT0","shape":[2],"datatype":"BYTES","data":["a\n",["b"]]},{"data":["é\"",""],"name":"INPUT1","shape":[2],"datatype":"BYTES"}],"outputs":[{"name":"OUTPUT1","parameters":{"binary_data":true}}]}""";
        var body = Encoding.UTF8.GetBytes(text);
        for (var length = 1; length < body.Length; length++)
        {
            Assert.Equal(400, (await SendAsync(model, body[..length])).Status);
            var damaged = (byte[])body.Clone();
            damaged[length] ^= (byte)(1 << (length % 8));
            Assert.InRange((await SendAsync(model, damaged)).Status, 200, 400);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public async Task Serve_ChunkedBody_IsReadWhole(int chunk)
    {
        var values = string.Join(',', Enumerable.Range(0, 5000));
        var body = Json("INT32", "[5000]", $"[{values}]");
        Assert.EndsWith($"[{values}]}}]}}", (await InferAsync(DataType.Int32, body, chunk: chunk)).Text, StringComparison.Ordinal);
        Assert.EndsWith($"[{values}]}}]}}", (await InferAsync(DataType.Int32, body, chunk: chunk, headers: ("Transfer-Encoding", "chunked"))).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"OUTPUT1"}""", "\"outputs\":[{\"name\":\"OUTPUT1\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[2]}]}")]
    [InlineData("""{"name":"OUTPUT1"},{"name":"OUTPUT0"}""", "\"outputs\":[{\"name\":\"OUTPUT0\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[1]},{\"name\":\"OUTPUT1\",\"datatype\":\"INT32\",\"shape\":[1],\"data\":[2]}]}")]
    [InlineData("""{"name":"OUTPUT1","parameters":{"classification":1}}""", "\"outputs\":[{\"name\":\"OUTPUT1\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"2:0\"]}]}")]
    public async Task Serve_ListedOutputs_StayJson(string outputs, string expected)
    {
        using var model = EchoModel.Create(DataType.Int32, tensors: 2);
        var body = $$$"""{"inputs":[{"name":"INPUT0","shape":[1],"datatype":"INT32","data":[1]},{"name":"INPUT1","shape":[1],"datatype":"INT32","data":[2]}],"outputs":[{{{outputs}}}],"parameters":{"binary_data_output":true}}""";
        Assert.EndsWith(expected, (await SendAsync(model, Encoding.UTF8.GetBytes(body))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_DecoupledModel_Answers501()
    {
        using var model = EchoModel.Create("""{"name":"d","input":[{"name":"IN","dataType":"TYPE_INT32","dims":[-1]}],"output":[{"name":"OUT","dataType":"TYPE_INT32","dims":[1]}],"modelTransactionPolicy":{"decoupled":true}}""");
        Assert.Equal(501, (await SendAsync(model, "{}"u8.ToArray())).Status);
    }

    [Fact]
    public void Forwarding_MatchingHeaders_BecomeParameters()
    {
        using var call = new InferCall();
        var headers = new HeaderDictionary { ["X-Fwd-A"] = "1", ["x-fwd-b"] = "2", ["Other"] = "3", ["triton_x-fwd"] = "4" };
        new HeaderForwarding("X-Fwd.*").Apply(headers, call.Request);
        Assert.Equal(["X-Fwd-A=1", "x-fwd-b=2"], call.Request.Parameters!.Select(parameter => $"{parameter.Key}={parameter.Value.AsString}").Order());
    }

    private static string Json(string type, string shape, string data) => $$"""{"inputs":[{"name":"INPUT0","shape":{{shape}},"datatype":"{{type}}","data":{{data}}}]}""";

    private static Task<HttpAnswer> InferAsync(DataType type, string body, int tensors = 1, bool halfPrecision = true, int chunk = int.MaxValue, params (string, string)[] headers)
        => InferAsync(type, Encoding.UTF8.GetBytes(body), tensors, halfPrecision, chunk, headers);

    private static async Task<HttpAnswer> InferAsync(DataType type, byte[] body, int tensors = 1, bool halfPrecision = true, int chunk = int.MaxValue, params (string, string)[] headers)
    {
        using var model = EchoModel.Create(type, tensors);
        var endpoint = new InferEndpoint(null!, new HostOptions { HttpHalfPrecisionJson = halfPrecision }, new SharedMemoryRegions(), null!);
        return await HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model), body, chunk, headers);
    }

    private static Task<HttpAnswer> SendAsync(Model model, byte[] body, int chunk = int.MaxValue, params (string, string)[] headers)
    {
        var endpoint = new InferEndpoint(null!, new HostOptions(), new SharedMemoryRegions(), null!);
        return HttpExchange.SendAsync(context => endpoint.ServeAsync(context, model), body, chunk, headers);
    }
}
