using Runtime.Host.Options;
using Runtime.Host.Verbs;

namespace Runtime.Host.Tests.Verbs;

public sealed class ValidateTests : IDisposable
{
    private const string Config = """
        backend: 'identity'
        input { name: 'prompt' data_type: TYPE_STRING dims: [ -1 ] } output { name: 'text' data_type: TYPE_STRING dims: [ -1 ] }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("validate");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Check_GoodModels_RunsTheirExamples()
    {
        Write("plain", ("config.pbtxt", Config));
        Write("asked", ("config.pbtxt", Config), ("request.json", """{"inputs":[{"name":"prompt","shape":[1],"datatype":"BYTES","data":["x"]}]}"""));
        Write("typed", ("config.pbtxt", Config), ("input_schema.py", "INPUT_SCHEMA = {'prompt': {'datatype': 'STRING', 'required': True, 'shape': [1], 'example': ['a house']}}"));
        var (isGood, text) = await CheckAsync();
        Assert.True(isGood, text);
        Assert.Contains("plain: loads; it has no example to run", text, StringComparison.Ordinal);
        Assert.Contains("asked: request.json is answered with 1 response", text, StringComparison.Ordinal);
        Assert.Contains("typed: the example of input_schema.py is answered with 1 response", text, StringComparison.Ordinal);
        Assert.Contains("3 models serve, 0 faults, 0 warnings", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_Faults_AreAllToldWithTheirPlace()
    {
        Write("broken", ("config.pbtxt", "backend: 'nowhere'"));
        Write("typed", ("config.pbtxt", Config), ("input_schema.py", "INPUT_SCHEMA = {'prompt': {'datatype': 'STRNG', 'required': True, 'shape': [1]}}"));
        Write("asked", ("config.pbtxt", Config), ("request.json", """{"prompt":5}"""));
        Write("coded", ("1/model.cs", "public sealed class Bad : Function { int x = \"no\"; }"), ("input_schema.json", """{"INPUT_SCHEMA":{"x":{"datatype":"INT8","required":false,"shape":[1],"example":[512]}}}"""));
        var (isGood, text) = await CheckAsync();
        Assert.False(isGood);
        Assert.Contains("FAULT    broken: ", text, StringComparison.Ordinal);
        Assert.Contains("FAULT    typed: ", text, StringComparison.Ordinal);
        Assert.Contains("STRNG", text, StringComparison.Ordinal);
        Assert.Contains("FAULT    asked: request.json is not answered", text, StringComparison.Ordinal);
        Assert.Contains("model.cs(1,", text, StringComparison.Ordinal);
        Assert.Contains("1 model serves, 4 faults", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_ExampleThatDoesNotFit_IsAWarning()
    {
        Write("seed", ("config.pbtxt", "backend: 'identity' input { name: 'shape' data_type: TYPE_INT8 dims: [ 2 ] } output { name: 'out' data_type: TYPE_INT8 dims: [ 2 ] }"),
            ("input_schema.py", "INPUT_SCHEMA = {'shape': {'datatype': 'INT8', 'required': True, 'example': [512, 1], 'shape': [2]}}"));
        var (isGood, text) = await CheckAsync();
        Assert.True(isGood, text);
        Assert.Contains("warning  model 'seed': input_schema.py", text, StringComparison.Ordinal);
    }

    private async Task<(bool IsGood, string Text)> CheckAsync()
    {
        await using var output = new StringWriter();
        var isGood = await Validate.CheckAsync(new HostOptions { ModelRepository = [_directory.FullName], FunctionCache = "none" }, output);
        return (isGood, output.ToString());
    }

    private void Write(string model, params (string File, string Text)[] files)
    {
        _directory.CreateSubdirectory(model).CreateSubdirectory("1");
        foreach (var (file, text) in files)
        {
            File.WriteAllText(Path.Combine(_directory.FullName, model, file), text);
        }
    }
}
