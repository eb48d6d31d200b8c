using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

public class PythonSchemaReaderTests
{
    private const string Least = "INPUT_SCHEMA = {'x': {'datatype': 'STRING', 'shape': [1], 'required': True}}\n";

    [Fact]
    public void Read_SampleOfTheDocumentation_WarnsOfItsExampleAndLoads()
    {
        var schema = SchemaTexts.Python("""
            INPUT_SCHEMA = {
            "prompt": {
            'datatype': 'STRING',
            'required': True,
            'shape': [1],
            'example': ["There is a fine house in the forest"]
            },
            'shape': {
            'datatype': 'INT8',
            'required': False,
            'example': [ 512, 1 ],
            'shape': [2]
            },
            }
            """);

        Assert.Equal(["prompt STRING [1] required = There is a fine house in the forest", "shape INT8 [2] optional"], SchemaTexts.Lines(schema));
        Assert.Equal(
            ["input_schema.py:11:14: input 'shape': the example does not fit and is left out: the integer 512 is out of the range of INT8, -128 to 127"],
            schema.Warnings);
    }

    [Fact]
    public void Read_ChatTemplate_TakesFlagsInAnyPlace()
    {
        var schema = SchemaTexts.Python(""""
            #!/usr/bin/env python3
            # -*- coding: utf-8 -*-
            """Inputs of the chat model.

            One request is one turn.
            """
            from typing import Any, Dict
            import json, os

            IS_STREAMING_OUTPUT = True
            OPENAI_CLIENT_COMPATIBLITY = True

            INPUT_SCHEMA: Dict[str, Any] = {
                "messages": {                       # the whole conversation, as JSON
                    'datatype': 'STRING', 'required': True, 'shape': [1],
                    'example': ['[{"role": "user", '
                                '"content": "What\'s new?"}]'],
                },
                "temperature": {'datatype': 'FP32', 'required': False, 'shape': [1], 'example': [0.7]},
                "top_p":       {'datatype': 'FP32', 'required': False, 'shape': [1], 'example': [.95]},
                "max_tokens":  {'datatype': 'INT16', 'required': False, 'shape': [1], 'example': [1_024]},
                "stop":        {'datatype': 'STRING', 'required': False, 'shape': [-1], 'example': ["</s>", "\n\n"]},
            };  BATCH_WINDOW = 0
            """");

        Assert.True(schema.IsStreamingOutput);
        Assert.Empty(schema.Warnings);
        Assert.Equal(
            [
                """messages STRING [1] required = [{"role": "user", "content": "What's new?"}]""",
                "temperature FP32 [1] optional = 0.7",
                "top_p FP32 [1] optional = 0.95",
                "max_tokens INT16 [1] optional = 1024",
                "stop STRING [-1] optional = </s>|\n\n",
            ],
            SchemaTexts.Lines(schema));
    }

    [Fact]
    public void Read_WhisperTemplate_TakesLongStringsAndBatching()
    {
        var schema = SchemaTexts.Python("""
            INPUT_SCHEMA = {"audio_url": {"datatype": "STRING", "required": True, "shape": [1], "example": ["a.wav"]},
                            "audio_base64": {"datatype": "BYTES", "required": False, "shape": (1,), "example": (b"UklGRg" b"==",)},
                            "language": {"datatype": "STRING", "required": False, "shape": [1], "example": None},
                            "word_timestamps": {"datatype": "BOOL", "required": False, "shape": [1], "example": [False]}}
            BATCH_SIZE = 4
            BATCH_WINDOW = 5000  # milliseconds

            """);

        Assert.Equal((4, 5000, false), (schema.BatchSize, schema.BatchWindowMilliseconds, schema.IsStreamingOutput));
        Assert.Equal(
            ["audio_url STRING [1] required = a.wav", "audio_base64 BYTES [1] optional = UklGRg==", "language STRING [1] optional", "word_timestamps BOOL [1] optional = False"],
            SchemaTexts.Lines(schema));
    }

    [Fact]
    public void Read_EmbeddingsTemplate_TakesSeveralDimensions()
    {
        var schema = SchemaTexts.Python("""
            MODEL = os.environ.get("MODEL", {"a": [1, 2]})
            INPUT_SCHEMA = ({
                'sentences': {'datatype': 'STRING', 'shape': [-1], 'required': True, 'example': ['one', 'two'], 'description': 'texts'},
                'matrix': {'datatype': 'FP64', 'shape': [2, 2], 'required': False, 'example': [[1, 2.5], [-3, 4e-1]]},
                'mask': {'datatype': 'INT64', 'shape': [-1, 3], 'required': False, 'example': [[1, 1, 0]]},
            })
            """);

        Assert.Equal(
            ["sentences STRING [-1] required = one|two", "matrix FP64 [2,2] optional = 1|2.5|-3|0.4", "mask INT64 [-1,3] optional = 1|1|0"],
            SchemaTexts.Lines(schema));
        Assert.Equal(
            [
                "input_schema.py:1:1: 'MODEL' is not known and is ignored",
                "input_schema.py:3:101: input 'sentences': 'description' is not known and is ignored",
            ],
            schema.Warnings);
    }

    [Theory]
    [InlineData("STRING", "['a']", DataType.Bytes, "a")]
    [InlineData("BYTES", "['a']", DataType.Bytes, "a")]
    [InlineData("BOOL", "[True]", DataType.Bool, true)]
    [InlineData("INT8", "[-128]", DataType.Int8, -128L)]
    [InlineData("INT16", "[-0x8000]", DataType.Int16, -32768L)]
    [InlineData("INT32", "[2_147_483_647]", DataType.Int32, 2147483647L)]
    [InlineData("INT64", "[-9223372036854775808]", DataType.Int64, long.MinValue)]
    [InlineData("UINT8", "[255]", DataType.Uint8, 255UL)]
    [InlineData("UINT16", "[0b1]", DataType.Uint16, 1UL)]
    [InlineData("UINT32", "[0o17]", DataType.Uint32, 15UL)]
    [InlineData("UINT64", "[18446744073709551615]", DataType.Uint64, ulong.MaxValue)]
    [InlineData("FP16", "[65504]", DataType.Fp16, 65504.0)]
    [InlineData("BF16", "[1e38]", DataType.Bf16, 1e38)]
    [InlineData("FP32", "[-1.5]", DataType.Fp32, -1.5)]
    [InlineData("FP64", "1e300", DataType.Fp64, 1e300)]
    public void Read_EachDatatype_HasTypedExample(string name, string example, DataType type, object value)
    {
        var schema = SchemaTexts.Python($"INPUT_SCHEMA = {{'x': {{'datatype': '{name}', 'shape': [1], 'required': True, 'example': {example}}}}}");

        var input = Assert.Single(schema.Inputs);
        Assert.Equal((type, name == "STRING", name), (input.Type, input.IsText, input.TypeName));
        Assert.Equal([value], input.Example!);
        Assert.Empty(schema.Warnings);
    }

    [Theory]
    [InlineData("INT8", "[1]", "[128]", "out of the range of INT8, -128 to 127")]
    [InlineData("UINT16", "[1]", "[-1]", "out of the range of UINT16, 0 to 65535")]
    [InlineData("FP16", "[1]", "[70000.0]", "out of the range of FP16")]
    [InlineData("INT32", "[1]", "[1.5]", "INT32 takes a whole number, found the number 1.5")]
    [InlineData("BOOL", "[1]", "[1]", "BOOL takes true or false, found the integer 1")]
    [InlineData("STRING", "[1]", "[['a', None]]", "STRING takes a string, found no value")]
    [InlineData("STRING", "[3]", "['a']", "1 elements do not fill the shape [3]")]
    [InlineData("STRING", "[-1, 2]", "['a']", "1 elements do not fill the shape [-1,2]")]
    [InlineData("BYTES", "[1]", "[b'\\xff']", "cannot be shown in JSON")]
    public void Read_ExampleThatDoesNotFit_IsLeftOutWithWarning(string type, string shape, string example, string expected)
    {
        var schema = SchemaTexts.Python($"INPUT_SCHEMA = {{'x': {{'datatype': '{type}', 'shape': {shape}, 'required': True, 'example': {example}}}}}");

        Assert.Null(schema.Inputs[0].Example);
        var warning = Assert.Single(schema.Warnings);
        Assert.StartsWith("input_schema.py:1:", warning, StringComparison.Ordinal);
        Assert.Contains(expected, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\uFEFF" + Least)]
    [InlineData("INPUT_SCHEMA = \\\r\n {'x': {'datatype': 'STR' 'ING', 'shape': [1], 'required': True}}\r\n")]
    [InlineData("pass\n" + Least + "\r\r\npass")]
    [InlineData("import a; from b import (\n  c,\n  d)\n" + Least)]
    [InlineData("X: int\n" + Least)]
    [InlineData("r'doc\\d'\n\t\f\n  # only a comment\n" + Least)]
    public void Read_FormsOfText_AreTheSameSchema(string text)
    {
        var schema = SchemaTexts.Python(text);

        Assert.Equal(["x STRING [1] required"], SchemaTexts.Lines(schema));
        Assert.Empty(schema.Warnings);
    }

    [Theory]
    [InlineData("BATCH_SZIE = 3", "input_schema.py:2:1: 'BATCH_SZIE' is not known and is ignored; did you mean 'BATCH_SIZE'?")]
    [InlineData("X = __import__('os').system('true')", "input_schema.py:2:1: 'X' is not known and is ignored")]
    [InlineData("Y = [i for i in range(BATCH_SIZE)]", "input_schema.py:2:1: 'Y' is not known and is ignored")]
    [InlineData("BATCH_SIZE = 1; BATCH_SIZE = 2", "input_schema.py:2:17: BATCH_SIZE was already set in line 2; the later value counts")]
    public void Read_WhatHasNoEffect_IsAWarning(string line, string expected)
        => Assert.Equal([expected], SchemaTexts.Python(Least + line).Warnings);

    [Fact]
    public void Read_FieldTwice_TakesTheLaterWithWarning()
    {
        var schema = SchemaTexts.Python("INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'datatype': 'FP16', 'shape': [1], 'required': True, 7: 8}}");

        Assert.Equal(["x FP16 [1] required"], SchemaTexts.Lines(schema));
        Assert.Equal(
            ["input_schema.py:1:43: input 'x': 'datatype' is there twice; the later value counts", "input_schema.py:1:95: input 'x': the integer 7 is not known and is ignored"],
            schema.Warnings);
    }
}
