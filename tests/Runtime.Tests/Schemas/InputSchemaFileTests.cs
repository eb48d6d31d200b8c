using Runtime.Models.Configuration;
using Runtime.Schemas;

namespace Runtime.Tests.Schemas;

public sealed class InputSchemaFileTests : IDisposable
{
    private const string Python = "INPUT_SCHEMA = {'x': {'datatype': 'INT8', 'shape': [1], 'required': True}}";
    private const string Json = """{"INPUT_SCHEMA": {"y": {"datatype": "INT8", "shape": [1], "required": true}}}""";
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("schemas");

    [Theory]
    [InlineData("model/input_schema.py", Python, "x")]
    [InlineData("model/input_schema.json", Json, "y")]
    [InlineData("extra/model.py", Python, "x")]
    [InlineData("extra/model.json", Json, "y")]
    public void Find_EachPlace_IsRead(string path, string text, string input)
    {
        Write(path, text);

        var schema = Find("extra", "model");

        Assert.Equal(input, Assert.Single(schema!.Inputs).Name);
        Assert.Equal(Path.GetFileName(path), schema.Source);
    }

    [Theory]
    [InlineData("extra/other.py", "extra", "model")]
    [InlineData("extra/model.py", null, "model")]
    [InlineData("extra/model.py", "none", "model")]
    [InlineData("model.py", "extra", "../model")]
    public void Find_NoFile_IsNull(string path, string? schemas, string model)
    {
        Write(path, Python);

        Assert.Null(Find(schemas, model));
    }

    [Theory]
    [InlineData("model/input_schema.py", "model/input_schema.json")]
    [InlineData("model/input_schema.json", "extra/model.json")]
    public void Find_TwoFiles_NamesBoth(string first, string second)
    {
        Write(first, Python);
        Write(second, Json);

        var message = Assert.Throws<ModelConfigException>(() => Find("extra", "model")).Message;

        Assert.Contains(Full(first), message, StringComparison.Ordinal);
        Assert.Contains(Full(second), message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_FileOverTheLimit_IsRefused()
    {
        Write("model/input_schema.py", Python + new string('\n', InputSchemaFile.MostBytes));

        Assert.Contains("at most 1048576 bytes", Assert.Throws<ModelConfigException>(() => Find(null, "model")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("input_schema.py")]
    [InlineData("input_schema.json")]
    public void Read_FileThatIsNotUtf8_IsRefused(string name)
    {
        Write($"model/{name}", "");
        File.WriteAllBytes(Full($"model/{name}"), [(byte)'#', 0xE9, (byte)'\n']);

        Assert.Equal($"{name}: the file is not UTF-8 text", Assert.Throws<ModelConfigException>(() => InputSchemaFile.Read(Full($"model/{name}"))).Message);
    }

    public void Dispose() => _root.Delete(true);

    private InputSchema? Find(string? schemas, string model) => InputSchemaFile.Find(Full("model"), schemas is null ? null : Full(schemas), model);

    private string Full(string path) => Path.Combine(_root.FullName, path);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Full(path))!);
        File.WriteAllText(Full(path), text);
    }
}
