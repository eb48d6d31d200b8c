using System.Text;
using Runtime.Functions.Compiler;

namespace Runtime.Backends.Tests.Functions;

public sealed class CompilationCacheTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Load_SameSourceAgain_TakesWhatIsKept()
    {
        var cache = new CompilationCache(Path.Combine(_directory.FullName, "cache"));
        await using var repository = new FunctionRepository(cache: cache);
        var source = FunctionRepository.Answering("1");
        repository.Write("kept", source);
        var key = CompilationCache.KeyOf(Sources(source));
        cache.Store(key, FunctionLoadTests.Compile("kept", FunctionRepository.Answering("2")));

        Assert.Equal("", await repository.LoadAsync("kept"));
        Assert.Equal("2", await repository.AskAsync("kept"));
    }

    [Fact]
    public async Task Load_NewSource_IsKept()
    {
        var cache = new CompilationCache(Path.Combine(_directory.FullName, "cache"));
        await using var repository = new FunctionRepository(cache: cache);
        var source = FunctionRepository.Answering("3");
        repository.Write("kept", source);

        Assert.Equal("", await repository.LoadAsync("kept"));

        Assert.NotNull(cache.Find(CompilationCache.KeyOf(Sources(source))));
        Assert.Single(_directory.EnumerateFiles("*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Find_ShippedOnly_IsFoundAndNothingIsWritten()
    {
        var shipped = Path.Combine(_directory.FullName, "shipped");
        new CompilationCache(shipped).Store("key", [1, 2]);

        var cache = new CompilationCache(null, warn: null, shipped);
        cache.Store("other", [3]);

        Assert.Equal([1, 2], cache.Find("key")!);
        Assert.Null(cache.Find("other"));
        Assert.Single(_directory.EnumerateFiles("*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Find_NoShippedDirectory_FindsNothing()
        => Assert.Null(new CompilationCache(null, warn: null, Path.Combine(_directory.FullName, "absent")).Find("key"));

    [Fact]
    public void KeyOf_AnythingElse_IsAnotherKey()
    {
        var key = CompilationCache.KeyOf(Sources("class A;"));

        Assert.Equal(key, CompilationCache.KeyOf(Sources("class A;")));
        Assert.NotEqual(key, CompilationCache.KeyOf(Sources("class B;")));
        Assert.NotEqual(key, CompilationCache.KeyOf(Sources("class A;") with { Assemblies = [new SourceFile("a.dll", [1])] }));
        Assert.NotEqual(key, CompilationCache.KeyOf(Sources("class A;") with { Model = "other" }));
    }

    [Fact]
    public void Find_FileInPart_IsNotThere()
    {
        var cache = new CompilationCache(_directory.FullName);
        cache.Store("key", [1, 2, 3, 4]);
        Assert.Equal([1, 2, 3, 4], cache.Find("key"));

        var file = _directory.EnumerateFiles().Single().FullName;
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^1]);

        Assert.Null(cache.Find("key"));
    }

    [Fact]
    public void Constructor_DirectoryThatOthersWriteTo_IsNotUsed()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var warnings = new List<string>();
        File.SetUnixFileMode(_directory.FullName, (UnixFileMode)0b111_111_111);
        var cache = new CompilationCache(_directory.FullName, warnings.Add);
        cache.Store("key", [1]);

        Assert.Null(cache.Find("key"));
        Assert.Contains("others may write to it", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_NoDirectoryToBe_IsNotUsed()
    {
        var file = Path.Combine(_directory.FullName, "file");
        File.WriteAllText(file, "");
        var warnings = new List<string>();

        var cache = new CompilationCache(Path.Combine(file, "below"), warnings.Add);
        cache.Store("key", [1]);

        Assert.Null(cache.Find("key"));
        Assert.Single(warnings);
    }

    private static FunctionSources Sources(string source) => new("kept", [new SourceFile("model.cs", Encoding.UTF8.GetBytes(source))], []);
}
