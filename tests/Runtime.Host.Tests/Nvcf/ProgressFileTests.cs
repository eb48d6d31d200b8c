using System.Text;
using System.Text.Json;
using Runtime.Host.Nvcf;

namespace Runtime.Host.Tests.Nvcf;

public sealed class ProgressFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("progress").FullName;
    private readonly StepClock _clock = new();
    private readonly List<Exception> _failures = [];
    private readonly ProgressFile _progress;

    public ProgressFileTests() => _progress = Make(_directory);

    private string Path => System.IO.Path.Combine(_directory, "progress");

    public void Dispose()
    {
        _progress.Close();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void Report_First_IsWrittenAtOnceAsThePlatformReadsIt()
    {
        _progress.Report(50, """{"exampleKey":"value"}"""u8.ToArray());

        Assert.Equal("""{"id":"id-1","progress":50,"partialResponse":{"exampleKey":"value"}}""", File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData(0.4, 0)]
    [InlineData(49.5, 50)]
    [InlineData(-7, 0)]
    [InlineData(1e300, 100)]
    [InlineData(double.PositiveInfinity, 100)]
    public void Report_AnyPercentage_BecomesAnIntegerFrom0To100(double percent, int expected)
    {
        _progress.Report(percent);

        Assert.Equal(expected, Percent());
    }

    [Fact]
    public void Report_LessThanBefore_DoesNotFall()
    {
        _progress.Report(60);
        _clock.Advance(1000);
        _progress.Report(20, """{"a":1}"""u8.ToArray());

        Assert.Equal("""{"id":"id-1","progress":60,"partialResponse":{"a":1}}""", File.ReadAllText(Path));
    }

    [Fact]
    public void Report_WithoutPartial_KeepsTheLastOne()
    {
        _progress.Report(10, """{"a":1}"""u8.ToArray());
        _clock.Advance(1000);
        _progress.Report(20);

        Assert.Equal("""{"id":"id-1","progress":20,"partialResponse":{"a":1}}""", File.ReadAllText(Path));
    }

    [Fact]
    public void Report_ManyInASecond_AreAtMostFourWritesAndTheLatestWins()
    {
        var seen = new List<int>();
        for (var i = 0; i < 1000; i++)
        {
            _progress.Report(i / 10d);
            if (seen.LastOrDefault(-1) != Percent())
            {
                seen.Add(Percent());
            }

            _clock.Advance(1);
        }

        Assert.Equal(4, seen.Count);
        _clock.Advance(300);
        Assert.Equal(100, Percent());
    }

    [Fact]
    public void Report_TwoWithinTheInterval_TheSecondIsWrittenByTheTimer()
    {
        _progress.Report(1);
        _progress.Report(2);
        Assert.Equal(1, Percent());

        _clock.Advance(260);

        Assert.Equal(2, Percent());
    }

    [Fact]
    public void Report_NaN_IsRefused() => Assert.Contains("got NaN", Assert.Throws<ArgumentException>(() => _progress.Report(double.NaN)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("[1]")]
    [InlineData("\"text\"")]
    [InlineData("5")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData(" ")]
    [InlineData("{\"a\":NaN}")]
    public void Report_PartialThatIsNoObject_IsRefusedAndNothingIsWritten(string partial)
    {
        var fault = Assert.Throws<ArgumentException>(() => _progress.Report(5, Encoding.UTF8.GetBytes(partial)));

        Assert.Contains("must be one JSON object or null", fault.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void Report_PartialThatIsNotUtf8_IsRefused() => Assert.Throws<ArgumentException>(() => _progress.Report(5, new byte[] { (byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}' }));

    [Fact]
    public void Report_NullPartial_IsWritten()
    {
        _progress.Report(5, "null"u8.ToArray());

        Assert.EndsWith("\"partialResponse\":null}", File.ReadAllText(Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_PartialOf250Kilobytes_IsRefusedWithItsSize()
    {
        var fits = Object(249_900);
        _progress.Report(5, fits);
        Assert.InRange(new FileInfo(Path).Length, fits.Length, ProgressFile.MaxByteSize - 1);

        var fault = Assert.Throws<ArgumentException>(() => _progress.Report(6, Object(250_000)));

        Assert.Contains("250000 bytes", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_BytesChangeAfterwards_TheFileHasThoseOfTheReport()
    {
        var bytes = """{"a":1}"""u8.ToArray();
        _progress.Report(1);
        _progress.Report(2, bytes);
        bytes.AsSpan().Clear();
        _clock.Advance(300);

        Assert.Equal(1, Json().GetProperty("partialResponse").GetProperty("a").GetInt32());
    }

    [Fact]
    public void Close_ReportPending_LeavesNothingBehind()
    {
        _progress.Report(1);
        _progress.Report(2);

        _progress.Close();
        _progress.Report(3);
        _clock.Advance(1000);

        Assert.Empty(Directory.GetFiles(_directory));
        Assert.Equal(0, _clock.TimerCount);
    }

    [Fact]
    public void Close_NeverReported_LeavesAFunctionsOwnFileAlone()
    {
        File.WriteAllText(Path, "own");

        _progress.Close();

        Assert.Equal("own", File.ReadAllText(Path));
    }

    [Fact]
    public void Report_DirectoryMissing_IsMade()
    {
        var directory = System.IO.Path.Combine(_directory, "a", "b");
        var progress = Make(directory);

        progress.Report(7);

        Assert.True(File.Exists(System.IO.Path.Combine(directory, "progress")));
        progress.Close();
    }

    [Fact]
    public void Report_DirectoryCannotBeWritten_IsToldOnceAndTheRequestGoesOn()
    {
        File.WriteAllText(System.IO.Path.Combine(_directory, "file"), "");
        var progress = Make(System.IO.Path.Combine(_directory, "file"));

        progress.Report(1);
        _clock.Advance(1000);
        progress.Report(2);
        progress.Close();

        Assert.Single(_failures);
    }

    [Fact]
    public void Report_IdThatNeedsEscapes_IsJson()
    {
        var progress = Make(_directory, "a\"\\b");

        progress.Report(1);

        Assert.Equal("a\"\\b", Json().GetProperty("id").GetString());
        progress.Close();
    }

    private static byte[] Object(int length) => Encoding.ASCII.GetBytes($$"""{"a":"{{new string('x', length - 8)}}"}""");

    private ProgressFile Make(string directory, string id = "id-1") => new(directory, id, _clock, _failures.Add);

    private JsonElement Json() => JsonDocument.Parse(File.ReadAllBytes(Path)).RootElement;

    private int Percent() => Json().GetProperty("progress").GetInt32();
}
