using Runtime.Functions;
using Runtime.Functions.Compiler;
using Runtime.Host.Lifecycle;
using Runtime.Host.Verbs;
using Runtime.Models;

namespace Runtime.Host.Tests.Verbs;

public sealed class NewFunctionTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Write_NewName_LoadsAsItIs()
    {
        NewFunction.Write("my-first.function_2", _directory.FullName);
        var functions = new FunctionBackend(new FunctionServices(), new CompilationCache(null));
        await using var models = new ModelRepository(new RepositoryOptions { Directories = [_directory.FullName] }, [functions]);

        Assert.Empty(await models.StartAsync(default));
    }

    [Fact]
    public void Write_TakenName_LeavesItAlone()
    {
        var directory = NewFunction.Write("mine", _directory.FullName);
        File.WriteAllText(Path.Combine(directory, "1", "model.cs"), "changed");

        Assert.Contains("is there already", Assert.Throws<StartException>(() => NewFunction.Write("mine", _directory.FullName)).Message, StringComparison.Ordinal);
        Assert.Equal("changed", File.ReadAllText(Path.Combine(directory, "1", "model.cs")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../up")]
    [InlineData("1st")]
    [InlineData("two words")]
    public void Write_BadName_IsRefused(string name)
        => Assert.Contains("is no name for a model", Assert.Throws<StartException>(() => NewFunction.Write(name, _directory.FullName)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Run_WrongArguments_TellsTheUsage()
    {
        var refusal = await Assert.ThrowsAsync<StartException>(() => NewFunction.RunAsync(["model", "x"]));
        Assert.StartsWith("usage: runtime-host new function", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(VerbTable.Find(["new"]));
        Assert.Null(VerbTable.Find(["--http-port=1"]));
        Assert.Null(VerbTable.Find([]));
    }
}
