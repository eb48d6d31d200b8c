using System.Text.Json;
using Runtime.Models.Configuration;
using Runtime.Schemas;

namespace Runtime.Tests.Schemas;

public class JsonSchemaReaderTests
{
    private const string Input = """{"datatype": "INT8", "shape": [1], "required": true}""";

    public static TheoryData<string> Accepted => new(
        $$$"""{"INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"$schema": "input-schema.schema.json", "INPUT_SCHEMA": {"x": {{{Input}}}, "shape": {{{Input}}}}, "BATCH_SIZE": 1, "BATCH_WINDOW": 0, "IS_STREAMING_OUTPUT": true}""",
        $$$"""{"OPENAI_CLIENT_COMPATIBLITY": true, "OTHER": [null], "BATCH_SIZE": 4.0, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "STRING", "shape": [-1, 2.0], "required": false, "example": ["a", 1], "description": "d"}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "BF16", "shape": [9223372036854775807], "required": false, "example": null}}}""");

    public static TheoryData<string> Refused => new(
        "null",
        "[]",
        "{}",
        """{"input_schema": {}}""",
        """{"INPUT_SCHEMA": {}}""",
        """{"INPUT_SCHEMA": [1]}""",
        """{"INPUT_SCHEMA": {"x": []}}""",
        $$$"""{"INPUT_SCHEMA": {"": {{{Input}}}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [1]}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"shape": [1], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "int8", "shape": [1], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": 8, "shape": [1], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": 1, "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [0], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [-2], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [1.5], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": ["1"], "required": true}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [9223372036854775808000], "required": true}}}""",
        $$$"""{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [{{{string.Join(',', Enumerable.Repeat(1, 33))}}}], "required": true} } }""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [1], "required": 1}}}""",
        """{"INPUT_SCHEMA": {"x": {"datatype": "INT8", "shape": [1], "required": null}}}""",
        $$$"""{"BATCH_SIZE": 0, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"BATCH_SIZE": 1.5, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"BATCH_SIZE": true, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"BATCH_SIZE": 2147483648, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"BATCH_WINDOW": -1, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"BATCH_WINDOW": null, "INPUT_SCHEMA": {"x": {{{Input}}}}}""",
        $$$"""{"IS_STREAMING_OUTPUT": "true", "INPUT_SCHEMA": {"x": {{{Input}}}}}""");

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Read_WhatTheContractAccepts_IsAccepted(string json)
    {
        Assert.Null(ContractError(json));
        Assert.NotEmpty(SchemaTexts.Json(json).Inputs);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Read_WhatTheContractRefuses_IsRefused(string json)
    {
        Assert.NotNull(ContractError(json));
        Assert.StartsWith(SchemaTexts.JsonName, SchemaTexts.JsonError(json), StringComparison.Ordinal);
    }

    [Fact]
    public void Contract_Datatypes_AreThoseOfTheReader()
    {
        using var contract = JsonDocument.Parse(Contract());
        var names = contract.RootElement.GetProperty("$defs").GetProperty("input").GetProperty("properties").GetProperty("datatype").GetProperty("enum");

        Assert.Equal(SchemaDatatypes.Names, names.EnumerateArray().Select(name => name.GetString()!));
    }

    [Fact]
    public void Read_ExamplesOfBothForms_AreTheSame()
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "schemas", "examples");
        var python = InputSchemaFile.Read(Path.Combine(directory, "text-to-image.py"));
        var path = Path.Combine(directory, "text-to-image.json");
        var json = InputSchemaFile.Read(path);

        Assert.Null(ContractError(File.ReadAllText(path)));
        Assert.Equal(SchemaTexts.Lines(python), SchemaTexts.Lines(json));
        Assert.Equal((4, 250, false), (json.BatchSize, json.BatchWindowMilliseconds, json.IsStreamingOutput));
        Assert.Equal((4, 250, false), (python.BatchSize, python.BatchWindowMilliseconds, python.IsStreamingOutput));
        Assert.Empty(json.Warnings.Concat(python.Warnings));
    }

    [Theory]
    [InlineData("{\n  \"INPUT_SCHEMA\": {\n    \"é\": {\"datatype\": \"X\", \"shape\": [1], \"required\": true}}}", "input_schema.json:3:23: input 'é': 'datatype': expected one of")]
    [InlineData("{\"INPUT_SCHEMA\": {\"x\": 1, \"x\": 2}}", "input 'x' is already in line 1")]
    [InlineData("{\n\"a\": 1,}", "input_schema.json:2:8: not JSON")]
    [InlineData("{} {}", "input_schema.json:1:4: not JSON")]
    [InlineData("", "input_schema.json:1:1: not JSON")]
    [InlineData("{\"a\": \"\\ud800\"}", "input_schema.json:1:7: the string has half of a surrogate pair")]
    [InlineData("{\"a\": 1e999}", "input_schema.json:1:7: the number is too large")]
    public void Read_WrongText_IsRefusedWithPlace(string json, string expected) => Assert.Contains(expected, SchemaTexts.JsonError(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("[", 100_000)]
    [InlineData("{\"a\":", 100_000)]
    [InlineData("9", 500_000)]
    public void Read_HostileText_IsRefused(string text, int times)
        => Assert.Throws<ModelConfigException>(() => SchemaTexts.Json("{\"INPUT_SCHEMA\":" + string.Concat(Enumerable.Repeat(text, times))));

    private static string Contract() => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "schemas", "input-schema.schema.json"));

    private static string? ContractError(string json)
    {
        using var contract = JsonDocument.Parse(Contract());
        using var document = JsonDocument.Parse(json);
        return new JsonSchemaSubset(contract.RootElement).Check(document.RootElement);
    }
}
