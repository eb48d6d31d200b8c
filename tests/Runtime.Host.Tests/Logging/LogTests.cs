using System.Text;
using Microsoft.Extensions.Logging;
using Runtime.Host.Logging;
using Runtime.Host.Options;
using Runtime.Host.Settings;

namespace Runtime.Host.Tests.Logging;

public sealed class LogTests
{
    private static readonly DateTimeOffset Time = new DateTimeOffset(2026, 11, 21, 19, 30, 0, TimeSpan.Zero).AddTicks(1234560);

    [Fact]
    public void Format_Default_IsTritons() =>
        Assert.Equal($"I1121 19:30:00.123456 {Environment.ProcessId} Model] loaded\n", LogLine.Format("default", LogLevel.Information, "Model", Time, "loaded"));

    [Fact]
    public void Format_Iso_IsTritons() =>
        Assert.Equal($"2026-11-21T19:30:00Z E {Environment.ProcessId} Model] lost\n", LogLine.Format("ISO8601", LogLevel.Error, "Model", Time, "lost"));

    [Theory]
    [InlineData(0, true, "I ours,W ours,E ours,W theirs,")]
    [InlineData(1, true, "V ours,I ours,W ours,E ours,I theirs,W theirs,")]
    [InlineData(2, true, "V ours,I ours,W ours,E ours,V theirs,I theirs,W theirs,")]
    [InlineData(0, false, "W ours,E ours,W theirs,")]
    public async Task Log_Settings_DecideWhatIsWritten(int verbose, bool info, string expected)
    {
        var lines = await WriteAsync(new HostOptions { LogVerbose = verbose, LogInfo = info }, loggers =>
        {
            var ours = loggers.CreateLogger("Runtime.Models.Model");
            ours.LogDebug("ours");
            ours.LogInformation("ours");
            ours.LogWarning("ours");
            ours.LogError("ours");
            var theirs = loggers.CreateLogger("Microsoft.Other");
            theirs.LogDebug("theirs");
            theirs.LogInformation("theirs");
            theirs.LogWarning("theirs");
        });

        Assert.Equal(expected, string.Concat(lines.Select(line => $"{line[0]} {line[(line.LastIndexOf(' ') + 1)..]},")));
    }

    [Theory]
    [InlineData("Models")]
    [InlineData("Function.hello")]
    [InlineData("Runtime.Models.Model")]
    public async Task Log_InformationOfWhateverIsNotTheFrameworks_IsWritten(string category)
    {
        var lines = await WriteAsync(new HostOptions(), loggers => loggers.CreateLogger(category).LogInformation("ours"));

        Assert.EndsWith("] ours", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_Exception_FollowsTheMessage()
    {
        var lines = await WriteAsync(new HostOptions(), loggers => loggers.CreateLogger("Runtime.X").LogError(new InvalidOperationException("why"), "what"));

        Assert.EndsWith("X] what", lines[0], StringComparison.Ordinal);
        Assert.Equal("System.InvalidOperationException: why", lines[1]);
    }

    [Fact]
    public async Task Log_Json_IsAnObjectALine()
    {
        var lines = await WriteAsync(
            new HostOptions { LogFormat = "json", LogInferenceTag = true },
            loggers => loggers.CreateLogger("Runtime.X").LogError(new InvalidOperationException("why"), "what \"it\"\nis"));

        var line = System.Text.Json.JsonDocument.Parse(Assert.Single(lines)).RootElement;
        string[] names = ["level", "tag", "category", "message", "exception"];
        Assert.Equal(["error", "INFERENCE", "X", "what \"it\"\nis", "System.InvalidOperationException: why"], names.Select(name => line.GetProperty(name).GetString()!));
        Assert.Equal(TimeSpan.Zero, line.GetProperty("time").GetDateTimeOffset().Offset);
    }

    [Theory]
    [InlineData(LogLevel.Warning, "WARNING")]
    [InlineData(LogLevel.Error, "ERROR")]
    public async Task Log_InferenceTag_IsPythons(LogLevel level, string name)
    {
        var lines = await WriteAsync(new HostOptions { LogInferenceTag = true }, loggers => loggers.CreateLogger("Runtime.X").Log(level, "done"));

        Assert.Matches($@"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d,\d{{3}} \[{name}\] \[INFERENCE\] done$", Assert.Single(lines));
    }

    [Fact]
    public async Task CreateFactory_Warnings_ComeFirst()
    {
        using var stream = new MemoryStream();
        await using (var output = new LogOutput(stream))
        {
            using var loggers = LogProvider.CreateFactory(new LogSettings(new HostOptions()), output, ["careful"]);
        }

        Assert.EndsWith("] careful\n", Encoding.UTF8.GetString(stream.ToArray()), StringComparison.Ordinal);
    }

    private static async Task<string[]> WriteAsync(HostOptions options, Action<ILoggerFactory> write)
    {
        using var stream = new MemoryStream();
        await using (var output = new LogOutput(stream))
        {
            using var loggers = LogProvider.CreateFactory(new LogSettings(options), output, []);
            write(loggers);
        }

        return Encoding.UTF8.GetString(stream.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
