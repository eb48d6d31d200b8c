using System.Text;
using System.Text.Json;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

public sealed class ModelConfigJsonTests
{
    [Fact]
    public void Write_OneInput_HasDefaultsButNoUnsetMessages()
    {
        var config = ModelConfigText.Parse("name: 'm' version_policy { latest { num_versions: 1 } } input { name: 'A' data_type: TYPE_FP32 dims: -1 }", "f");
        Assert.Equal(
            """
            {"name":"m","platform":"","backend":"","runtime":"","version_policy":{"latest":{"num_versions":1}},"max_batch_size":0,
            "input":[{"name":"A","data_type":"TYPE_FP32","format":"FORMAT_NONE","dims":[-1],"is_shape_tensor":false,"allow_ragged_batch":false,"optional":false,"is_non_linear_format_io":false}],
            "output":[],"batch_input":[],"batch_output":[],"instance_group":[],"default_model_filename":"","cc_model_filenames":{},"metric_tags":{},"parameters":{},"model_warmup":[]}
            """.Replace("\n", "", StringComparison.Ordinal),
            Write(config));
    }

    [Fact]
    public void Write_OneofOfScalars_HasOnlyTheOneThatIsSet()
    {
        var config = ModelConfigText.Parse("model_warmup { inputs { key: 'I' value { zero_data: false } } }", "f");
        Assert.Contains("""{"I":{"data_type":"TYPE_INVALID","dims":[],"zero_data":false}}""", Write(config), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_PriorityPolicies_HasNumbersAsKeys()
    {
        var config = ModelConfigText.Parse("dynamic_batching { priority_levels: 18446744073709551615 priority_queue_policy { key: 2 value { timeout_action: DELAY } } }", "f");
        var json = Write(config);
        Assert.Contains("\"priority_levels\":18446744073709551615", json, StringComparison.Ordinal);
        Assert.Contains("\"priority_queue_policy\":{\"2\":{\"timeout_action\":\"DELAY\"", json, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WhatWasWritten_IsTheSame()
    {
        var config = ModelConfigText.Parse(ConfigTexts.Everything, "f");
        Assert.Equal(config, ModelConfigJson.Parse(Write(config), "f"));
    }

    [Fact]
    public void Parse_OtherSpellings_AreRead()
    {
        var config = ModelConfigJson.Parse(
            """{"maxBatchSize": "4", "backend": null, "input": [{"name": "A", "dataType": 8, "dims": ["-1", 3]}], "dynamic_batching": {"priority_queue_policy": {"3": {}}}}""", "f");
        Assert.Equal(4, config.MaxBatchSize);
        Assert.Equal([-1, 3], config.Input[0].Dims);
        Assert.Equal(Protocol.DataType.TypeInt32, config.Input[0].DataType);
        Assert.True(config.DynamicBatching.PriorityQueuePolicy.ContainsKey(3));
    }

    [Theory]
    [InlineData("""{"max_batchsize": 1}""", "config: unknown field 'max_batchsize' in ModelConfig; did you mean 'max_batch_size'?")]
    [InlineData("""{"input": [{"name": "A"}, {"dims": [1, 2.5]}]}""", "config: input[1].dims[1]: expected an integer, got '2.5'")]
    [InlineData("""{"input": [{"data_type": "INT32"}]}""", "config: input[0].data_type: has no value 'INT32'")]
    [InlineData("""{"input": [{"data_type": true}]}""", "config: input[0].data_type: expected one of TYPE_INVALID, ")]
    [InlineData("""{"input": {}}""", "config: input: expected an array, got an object")]
    [InlineData("""{"name": 5}""", "config: name: expected a string, got 5")]
    [InlineData("""{"max_batch_size": 2147483648}""", "config: max_batch_size: takes -2147483648 to 2147483647, got 2147483648")]
    [InlineData("""{"name": "a", "name": "b"}""", "config: name: 'name' is set twice")]
    [InlineData("""{"metric_tags": {"a": "1", "a": "2"}}""", "config: metric_tags: 'metric_tags' has the key 'a' twice")]
    [InlineData("""{"version_policy": {"all": {}, "latest": {}}}""", "config: version_policy.latest: 'latest' and 'all' exclude each other")]
    [InlineData("""{"name": "\ud800"}""", "config: a string is not Unicode text")]
    [InlineData("notjson", "config:1:2: not JSON")]
    [InlineData("5", "config: expected an object, got 5")]
    public void Parse_Fault_NamesTheField(string json, string expected) =>
        Assert.StartsWith(expected, Assert.Throws<ModelConfigException>(() => ModelConfigJson.Parse(json, "config")).Message, StringComparison.Ordinal);

    private static string Write(Protocol.ModelConfig config)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            ModelConfigJson.Write(config, writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
