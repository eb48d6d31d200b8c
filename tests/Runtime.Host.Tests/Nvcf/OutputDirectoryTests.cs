using Runtime.Host.Nvcf;
using Runtime.Inference;

namespace Runtime.Host.Tests.Nvcf;

public sealed class OutputDirectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("outputs").FullName;
    private readonly string _directory;
    private readonly OutputDirectory _outputs;

    public OutputDirectoryTests()
    {
        _directory = Directory.CreateDirectory(Path.Combine(_root, "id-1")).FullName;
        _outputs = new OutputDirectory(_directory, "id-1");
    }

    private string[] Files => [.. Directory.GetFiles(_directory, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(_directory, path)).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Create_UntilComplete_IsPartial()
    {
        using var file = _outputs.Create("image1.jpg");
        file.Content.Write("abc"u8);
        Assert.Equal(["image1.jpg.partial"], Files);

        file.Complete();

        Assert.Equal(["image1.jpg"], Files);
        Assert.Equal("abc", File.ReadAllText(Path.Combine(_directory, "image1.jpg")));
    }

    [Fact]
    public void Dispose_NotComplete_RemovesTheFile()
    {
        _outputs.Create("a").Dispose();

        Assert.Empty(Files);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("..", "not a single path segment")]
    [InlineData(".", "not a single path segment")]
    [InlineData("../a", "not a single path segment")]
    [InlineData("/etc/a", "not a single path segment")]
    [InlineData("a\\b", "not a single path segment")]
    [InlineData("a\0b", "not a single path segment")]
    [InlineData("a\nb", "control characters")]
    [InlineData("progress", "reserved")]
    [InlineData("a.partial", "reserved")]
    public void Create_BadName_IsRefused(string name, string expected)
    {
        var error = Assert.Throws<InferenceException>(() => _outputs.Create(name)).Error;

        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Empty(Files);
    }

    [Fact]
    public void Create_VeryLongName_IsRefusedInAFewWords()
        => Assert.InRange(Assert.Throws<InferenceException>(() => _outputs.Create(new string('x', 100_000))).Message.Length, 20, 200);

    [Fact]
    public void Create_NameTaken_IsRefused()
    {
        using var first = _outputs.Create("a");
        Assert.Equal(ErrorCode.AlreadyExists, Assert.Throws<InferenceException>(() => _outputs.Create("a")).Error.Code);
        first.Complete();
        Assert.Equal(ErrorCode.AlreadyExists, Assert.Throws<InferenceException>(() => _outputs.Create("a")).Error.Code);
    }

    [Fact]
    public void Close_Succeeded_KeepsWhatIsCompleteAndRemovesEveryPartial()
    {
        using var done = _outputs.Create("done");
        done.Complete();
        using var open = _outputs.Create("open");
        Directory.CreateDirectory(Path.Combine(_directory, "sub"));
        File.WriteAllText(Path.Combine(_directory, "sub", "own.partial"), "");
        File.WriteAllText(Path.Combine(_directory, "sub", "own.txt"), "");

        _outputs.Close(keepsFiles: true);

        Assert.Equal(["done", "sub/own.txt"], Files);
        Assert.Throws<InferenceException>(open.Complete);
        Assert.Throws<InferenceException>(() => _outputs.Create("late"));
        Assert.Equal(["done", "sub/own.txt"], Files);
    }

    [Fact]
    public void Close_Failed_EmptiesTheRequestsOwnDirectory()
    {
        using var done = _outputs.Create("done");
        done.Complete();
        File.WriteAllText(Path.Combine(_directory, "own.txt"), "");

        _outputs.Close(keepsFiles: false);

        Assert.Empty(Files);
    }

    [Fact]
    public void Close_FailedInADirectoryOfAnotherName_RemovesOnlyWhatWasWrittenThroughIt()
    {
        var outputs = new OutputDirectory(_directory, "id-2");
        using var done = outputs.Create("done");
        done.Complete();
        File.WriteAllText(Path.Combine(_directory, "somebody's.txt"), "");

        outputs.Close(keepsFiles: false);

        Assert.Equal(["somebody's.txt"], Files);
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("file")]
    public void Close_NoDirectory_HasNothingToDo(string name)
    {
        File.WriteAllText(Path.Combine(_root, "file"), "");

        new OutputDirectory(Path.Combine(_root, name), name).Close(keepsFiles: false);

        Assert.True(File.Exists(Path.Combine(_root, "file")));
    }

    [Fact]
    public void Close_LinkToAnotherDirectory_IsNotFollowed()
    {
        var other = Directory.CreateDirectory(Path.Combine(_root, "other")).FullName;
        File.WriteAllText(Path.Combine(other, "x.partial"), "");
        Directory.CreateSymbolicLink(Path.Combine(_directory, "link"), other);

        _outputs.Close(keepsFiles: false);

        Assert.True(File.Exists(Path.Combine(other, "x.partial")));
    }

    [Fact]
    public void Create_DirectoryIsAFile_IsAnErrorOfTheServer()
    {
        File.WriteAllText(Path.Combine(_root, "file"), "");

        Assert.Equal(ErrorCode.Internal, Assert.Throws<InferenceException>(() => new OutputDirectory(Path.Combine(_root, "file"), "x").Create("a")).Error.Code);
    }
}
