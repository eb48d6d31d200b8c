using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

public sealed class ModelConfigTextTests
{
    [Fact]
    public void Parse_EverySpelling_ReadsValues()
    {
        var config = ModelConfigText.Parse(ConfigTexts.Everything, "config.pbtxt");

        Assert.Equal("everything", config.Name);
        Assert.Equal(16, config.MaxBatchSize);
        Assert.Equal([1, 2, 8], config.VersionPolicy.Specific.Versions);
        Assert.Equal(["a\t\"b\"AAé😀", "é", "c"], config.Input.Select(input => input.Name));
        Assert.Equal([-1, 3], config.Input[0].Dims);
        Assert.Empty(config.Input[0].Reshape.Shape);
        Assert.Equal(Protocol.DataType.TypeFp32, config.Input[1].DataType);
        Assert.Equal([4, -1], config.Input[1].Dims);
        Assert.True(config.Input[1].Optional);
        Assert.Equal([-7], config.Input[2].Dims);
        Assert.Equal([long.MaxValue], config.Output[0].Dims);
        Assert.Equal(-1, config.Optimization.Graph.Level);
        Assert.False(config.Optimization.InputPinnedMemory.Enable);
        Assert.Equal([1, 2], config.Optimization.Cuda.GraphSpec[0].Input["x"].Dim);
        Assert.Equal(0.5f, config.SequenceBatching.Direct.MinimumSlotUtilization);
        var control = config.SequenceBatching.ControlInput[0].Control[0];
        Assert.Equal([float.NegativeInfinity, float.NaN, 1000, 2], control.Fp32FalseTrue);
        Assert.Equal([true, false], control.BoolFalseTrue);
        Assert.Equal(2, config.InstanceGroup[0].Count);
        Assert.Equal("v", config.Parameters["k"].StringValue);
        Assert.Equal(["", "k", "only key"], config.Parameters.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("b", config.MetricTags["a"]);
        Assert.Equal(Protocol.ModelWarmup.Types.Input.InputDataTypeOneofCase.RandomData, config.ModelWarmup[0].Inputs["I"].InputDataTypeCase);
        Assert.Equal([0.5, 0.001, 18446744073709551615], config.ModelMetrics.MetricControl[0].HistogramOptions.Buckets);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing but a comment")]
    [InlineData("\uFEFF \r\n\t\v\f")]
    public void Parse_Nothing_IsEmpty(string text) => Assert.Equal(new Protocol.ModelConfig(), ModelConfigText.Parse(text, "f"));

    [Theory]
    [InlineData("\n\n    max_batchsize: 8", "f:3:5: unknown field 'max_batchsize' in ModelConfig; did you mean 'max_batch_size'?")]
    [InlineData("input {\n  nme: \"x\" }", "f:2:3: unknown field 'nme' in ModelInput; did you mean 'name'?")]
    [InlineData("quite_else: 1", "f:1:1: unknown field 'quite_else' in ModelConfig")]
    [InlineData("version_policy { all { versions: 1 } }", "f:1:24: unknown field 'versions' in All")]
    [InlineData("max_batch_size: 2147483648", "f:1:17: 'max_batch_size' takes -2147483648 to 2147483647, got 2147483648")]
    [InlineData("max_batch_size: -99999999999999999999999999999999999999999999", "f:1:18: 'max_batch_size' takes -2147483648 to 2147483647, got -99999999999999999999999999999999999999999999")]
    [InlineData("dynamic_batching { priority_levels: -1 }", "f:1:38: 'priority_levels' takes 0 to 18446744073709551615, got -1")]
    [InlineData("max_batch_size: 1.5", "f:1:17: 'max_batch_size' expects an integer, got '1.5'")]
    [InlineData("max_batch_size: 08", "f:1:17: 'max_batch_size' expects an integer, got '08'")]
    [InlineData("max_batch_size: 0x", "f:1:17: 'max_batch_size' expects an integer, got '0x'")]
    [InlineData("max_batch_size: \"8\"", "f:1:17: 'max_batch_size' expects an integer, got the string \"8\"")]
    [InlineData("max_batch_size: [8]", "f:1:17: 'max_batch_size' takes one value, not a list")]
    [InlineData("max_batch_size 8", "f:1:16: expected ':' after 'max_batch_size', got '8'")]
    [InlineData("max_batch_size: 8 max_batch_size: 8", "f:1:19: 'max_batch_size' is set twice")]
    [InlineData("optimization { } optimization { }", "f:1:18: 'optimization' is set twice")]
    [InlineData("version_policy { latest { } all { } }", "f:1:29: 'all' and 'latest' exclude each other, only one of them can be set")]
    [InlineData("metric_tags { key: 'a' } metric_tags { key: 'a' }", "f:1:38: 'metric_tags' has the key 'a' twice")]
    [InlineData("metric_tags { key: 'a' key: 'b' }", "f:1:24: 'key' is set twice")]
    [InlineData("input { data_type: TYPE_INT31 }", "f:1:20: 'data_type' has no value 'TYPE_INT31'; did you mean 'TYPE_INT32'?")]
    [InlineData("input { format: 7 }", "f:1:17: 'format' expects one of FORMAT_NONE, FORMAT_NHWC, FORMAT_NCHW, got '7'")]
    [InlineData("input { optional: yes }", "f:1:19: 'optional' expects true or false, got 'yes'")]
    [InlineData("input { optional: 2 }", "f:1:19: 'optional' expects true or false, got '2'")]
    [InlineData("name: simple", "f:1:7: 'name' expects a string in quotes, got 'simple'")]
    [InlineData("name: \"simple", "f:1:7: the string is not closed with \" on its line")]
    [InlineData("name: \"sim\nple\"", "f:1:7: the string is not closed with \" on its line")]
    [InlineData("name: \"\\q\"", "f:1:8: the string has an escape or a character that cannot be read")]
    [InlineData("name: \"\\ud800\"", "f:1:8: the string has an escape or a character that cannot be read")]
    [InlineData("name: \"\\400\"", "f:1:8: the string has an escape or a character that cannot be read")]
    [InlineData("name: \"\\xff\"", "f:1:7: the string is not UTF-8")]
    [InlineData("input {\n name: \"x\"", "f:2:11: expected '}' for 'input' from line 1, got the end of the file")]
    [InlineData("input { name: \"x\" >", "f:1:19: expected the name of a field of ModelInput, got '>'")]
    [InlineData("input [ { } { } ]", "f:1:13: expected ',' or ']' in the list of 'input' from line 1, got '{'")]
    [InlineData("input [ { }, ]", "f:1:14: expected '{' after 'input', got ']'")]
    [InlineData("}", "f:1:1: expected the name of a field of ModelConfig, got '}'")]
    [InlineData("name: \"a\" \u00e9", "f:1:11: unexpected character U+00E9")]
    [InlineData("sequence_batching { direct { minimum_slot_utilization: 1.2.3 } }", "f:1:56: 'minimum_slot_utilization' expects a number, got '1.2.3'")]
    public void Parse_Fault_SaysWhereAndWhat(string text, string expected) =>
        Assert.Equal(expected, Assert.Throws<ModelConfigException>(() => ModelConfigText.Parse(text, "f")).Message);

    [Fact]
    public void Read_BytesThatAreNotUtf8_NamesTheFile()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllBytes(path, [.. "name: \""u8, 0xff, .. "\""u8]);
        try
        {
            var exception = Assert.Throws<ModelConfigException>(() => ModelConfigText.Read(path));
            Assert.Equal($"{Path.GetFileName(path)}: the file is not UTF-8 text", exception.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Read_MissingFile_NamesTheFile()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "config.pbtxt");
        Assert.StartsWith("config.pbtxt: cannot be read", Assert.Throws<ModelConfigException>(() => ModelConfigText.Read(path)).Message, StringComparison.Ordinal);
    }
}
