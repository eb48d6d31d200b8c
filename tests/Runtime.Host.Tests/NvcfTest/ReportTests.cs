using System.Text.Json;
using Runtime.Host.Lifecycle;
using Runtime.Host.NvcfTest;
using Runtime.Host.NvcfTest.Checks;
using Spectre.Console;

namespace Runtime.Host.Tests.NvcfTest;

public sealed class ReportTests : IDisposable
{
    private readonly string _body = Path.GetTempFileName();

    public void Dispose() => File.Delete(_body);

    [Fact]
    public void Checks_Names_AreUniqueAndSayWhy()
    {
        Assert.Equal(CheckTable.All.Count, CheckTable.All.Select(check => check.Name).Distinct().Count());
        Assert.All(CheckTable.All, check => Assert.EndsWith(".", check.Requirement, StringComparison.Ordinal));
    }

    [Fact]
    public void Json_OneFailure_IsReadByScripts()
    {
        using var output = new MemoryStream();
        JsonReport.Write(output, Report());

        using var json = JsonDocument.Parse(output.ToArray());
        var check = json.RootElement.GetProperty("checks")[0];
        Assert.False(json.RootElement.GetProperty("passed").GetBoolean());
        Assert.Equal(["ports", "required", "failed", "[8080] is reserved"], new[] { "name", "level", "outcome", "detail" }.Select(name => check.GetProperty(name).GetString()));
    }

    [Fact]
    public async Task Console_OneFailure_IsInTheTableAndTheVerdict()
    {
        await using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = 120;

        var report = await ConsoleReport.RunAsync(console, observe =>
        {
            observe(new RunEvent("ports", 0, 2, "202, [half]", 50));
            return Task.FromResult(Report());
        });

        Assert.False(report.IsGood);
        Assert.Contains("[8080] is reserved", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("FAILED (required)", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 requirement is not met; 1 recommended one is not met.", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Flags_AreTakenInBothSpellings()
    {
        var settings = TestSettings.Parse(["--url=http://127.0.0.1:9000", "--inference", "/echo", "--body", Write("{}"), "--timeout", "7", "--json"]);

        Assert.Equal(9000, settings.Url.Port);
        Assert.Equal("/echo", settings.Inference);
        Assert.Equal("{}"u8.ToArray(), settings.Body);
        Assert.Equal(TimeSpan.FromSeconds(7), settings.Timeout);
        Assert.True(settings.IsJson);
    }

    [Theory]
    [InlineData("--inference PATH says", "--json", null)]
    [InlineData("--body FILE says", "--inference", "/echo")]
    [InlineData("did you mean '--inference'", "--inferense", "/echo")]
    [InlineData("expected http://HOST:PORT", "--url", "https://x")]
    [InlineData("--directory gives", "--container-directory=/var/inf", "--grpc-url=http://x:1")]
    [InlineData("expected a path", "--health", "ready")]
    [InlineData("expected a whole number from 1 to 3600", "--timeout", "0")]
    [InlineData("cannot be read", "--asset", "/nowhere/at/all")]
    [InlineData("--grpc-url needs a value", "--grpc-url", null)]
    public void Parse_WrongArguments_AreToldInASentence(string message, string flag, string? value)
    {
        string[] args = value is null ? [flag] : [flag, value];

        Assert.Contains(message, Assert.Throws<StartException>(() => TestSettings.Parse(args)).Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        File.WriteAllText(_body, text);
        return _body;
    }

    private static TestReport Report() => new(new TestSettings(),
    [
        new CheckResult(CheckTable.All[0], Finding.Fail("[8080] is reserved"), TimeSpan.FromSeconds(1)),
        new CheckResult(CheckTable.All.First(check => check.Level == Level.Recommended), Finding.Fail("[no]"), TimeSpan.Zero),
    ]);
}
