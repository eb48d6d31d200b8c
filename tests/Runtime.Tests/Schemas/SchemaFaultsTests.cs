using Runtime.Schemas;

namespace Runtime.Tests.Schemas;

public class SchemaFaultsTests
{
    private static readonly InputSchema Image = SchemaRequests.Schema(
        SchemaRequests.Input("prompt", "STRING", [1]),
        SchemaRequests.Input("size", "INT16", [2], false),
        SchemaRequests.Input("scale", "FP32", [1], false),
        SchemaRequests.Input("flags", "BOOL", [-1], false));

    [Theory]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a"]}]}""")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1,1],"datatype":"STRING","data":[["a"]]}]}""")]
    [InlineData("""{"inputs":[{"data":["a"],"datatype":"BYTES","shape":[1],"name":"prompt","name":"b"},{"name":"size","shape":[1,2],"datatype":"INT16","data":[[512,768]]}]}""")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":5}}]}""")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","parameters":{"shared_memory_region":"r"}}]}""")]
    [InlineData("not json")]
    [InlineData("[1]")]
    [InlineData("")]
    public void Explain_InferWithoutFault_IsNull(string json) => Assert.Null(SchemaRequests.Explain(Image, json, RequestForm.Infer));

    [Theory]
    [InlineData("{}", "prompt missing")]
    [InlineData("""{"inputs":null}""", "inputs null")]
    [InlineData("""{"inputs":{}}""", "inputs wrong_nesting")]
    [InlineData("""{"inputs":[null,5,{},{"name":7},{"name":null}]}""", "inputs[0] null|inputs[1] wrong_nesting|inputs[2] missing|inputs[3] wrong_type|inputs[4] null|prompt missing")]
    [InlineData("""{"inputs":[{"name":"prompt"}]}""", "prompt wrong_datatype|prompt wrong_shape|prompt missing")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[-1],"datatype":"INT8","data":null}]}""", "prompt wrong_datatype|prompt wrong_shape|prompt null")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":1,"datatype":7,"data":"a"}]}""", "prompt wrong_datatype|prompt wrong_shape|prompt wrong_nesting")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[2],"datatype":"BYTES","data":["a","b"]}]}""", "prompt wrong_shape")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a","b"]}]}""", "prompt wrong_length")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a"]},{"name":"prompt","shape":[1],"datatype":"BYTES","data":["a"]}]}""", "prompt duplicate")]
    [InlineData("""{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":[["a",{}]]},{"name":"x"}]}""", "prompt wrong_nesting|prompt wrong_length|x unknown")]
    public void Explain_Infer_NamesEveryFault(string json, string expected)
        => Assert.Equal(expected.Split('|'), SchemaRequests.Codes(SchemaRequests.Explain(Image, json, RequestForm.Infer)));

    [Theory]
    [InlineData("""{"prompt":"a"}""", 0)]
    [InlineData("""{"prompt":["a"],"size":[1,2],"scale":7,"flags":[],"other":{"is":"a parameter"},"id":"7"}""", 0)]
    [InlineData("""{"prompt":["a","b"],"size":[[1,2],[3,4]]}""", 2)]
    [InlineData("""{"prompt":"a","prompt":7}""", 0)]
    public void Explain_GenerateWithoutFault_IsNull(string json, int maxBatchSize) => Assert.Null(SchemaRequests.Explain(Image, json, RequestForm.Generate, maxBatchSize));

    [Theory]
    [InlineData("{}", "prompt missing")]
    [InlineData("""{"prompt":null,"scale":null}""", "prompt null|scale null")]
    [InlineData("""{"prompt":7}""", "prompt wrong_type")]
    [InlineData("""{"prompt":{}}""", "prompt wrong_nesting")]
    [InlineData("""{"prompt":[]}""", "prompt wrong_length")]
    [InlineData("""{"prompt":["a","b"]}""", "prompt wrong_length")]
    [InlineData("""{"prompt":[[["a"]]]}""", "prompt wrong_nesting")]
    [InlineData("""{"prompt":"a","size":5}""", "size wrong_length")]
    [InlineData("""{"prompt":"a","size":[40000,1.5]}""", "size out_of_range|size wrong_type")]
    [InlineData("""{"prompt":"a","size":[[1],2]}""", "size wrong_nesting")]
    [InlineData("""{"prompt":"a","size":[1,[2]]}""", "size wrong_nesting")]
    [InlineData("""{"prompt":"a","size":["1",null,true]}""", "size wrong_type|size null|size wrong_type|size wrong_length")]
    [InlineData("""{"prompt":"a","scale":1e39,"flags":[0,true,"false"]}""", "scale out_of_range|flags wrong_type|flags wrong_type")]
    [InlineData("""{"prompt":"a","scale":1e999}""", "scale out_of_range")]
    public void Explain_Generate_NamesEveryFault(string json, string expected)
        => Assert.Equal(expected.Split('|'), SchemaRequests.Codes(SchemaRequests.Explain(Image, json, RequestForm.Generate)));

    [Theory]
    [InlineData("""{"prompt":"a","size":[[1,2],[3,99999]]}""", "input 'size' at [1][1] is 99999, out of the range of INT16, -32768 to 32767")]
    [InlineData("""{"prompt":"a","size":[1,"b"]}""", "input 'size' at [1] is a string, expected a whole number")]
    [InlineData("""{"prompt":["a",null]}""", "input 'prompt' at [1] is null, expected a string")]
    [InlineData("""{"prompt":false}""", "input 'prompt' is false, expected a string")]
    [InlineData("""{"prompt":"a","scale":null}""", "input 'scale' is null; leave an optional input away instead")]
    [InlineData("""{"prompt":"a","size":[1,2,3]}""", "input 'size' has 3 elements, which do not fill the shape [2] or rows of it")]
    public void Explain_Generate_SaysPlaceAndExpectation(string json, string expected)
        => Assert.Contains(expected, SchemaRequests.Explain(Image, json, RequestForm.Generate, 8)!.Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("INT8", "-128,127", "-129,128")]
    [InlineData("INT16", "-32768,32767", "-32769,32768")]
    [InlineData("INT32", "-2147483648,2147483647", "-2147483649,2147483648")]
    [InlineData("INT64", "-9223372036854775808,9223372036854775807", "-9223372036854775809,9223372036854775808")]
    [InlineData("UINT8", "-0,255", "-1,256")]
    [InlineData("UINT16", "0,65535", "-1,65536")]
    [InlineData("UINT32", "0,4294967295", "-1,4294967296")]
    [InlineData("UINT64", "0,18446744073709551615", "-1,18446744073709551616")]
    [InlineData("FP16", "-65504,65504.0", "65520,-1e5")]
    [InlineData("BF16", "-3e38,1e-50", "1e39,-1e39")]
    [InlineData("FP32", "-3.4e38,0", "3.5e38,-1e400")]
    [InlineData("FP64", "-1e308,1e308", "1e309,-1e309")]
    public void Explain_BoundsOfEachDatatype_AreKept(string type, string held, string notHeld)
    {
        var schema = SchemaRequests.Schema(SchemaRequests.Input("x", type, [-1]));

        Assert.Null(SchemaRequests.Explain(schema, $$"""{"x":[{{held}}]}""", RequestForm.Generate));
        Assert.Equal(["x out_of_range", "x out_of_range"], SchemaRequests.Codes(SchemaRequests.Explain(schema, $$"""{"x":[{{notHeld}}]}""", RequestForm.Generate)));
    }

    [Fact]
    public void Explain_EndlessFaults_AreBounded()
    {
        var schema = SchemaRequests.Schema(SchemaRequests.Input("x", "UINT64", [-1]));
        var numbers = string.Join(',', Enumerable.Repeat(new string('9', 1000), 1000));

        var error = SchemaRequests.Explain(schema, $$"""{"x":[{{numbers}}]}""", RequestForm.Generate);

        Assert.Equal(FaultList.Most, error!.Details!.Count);
        Assert.EndsWith("; and more", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_TextNestedTooDeep_IsNull()
        => Assert.Null(SchemaRequests.Explain(Image, "{\"prompt\":" + new string('[', 100_000), RequestForm.Generate));
}
