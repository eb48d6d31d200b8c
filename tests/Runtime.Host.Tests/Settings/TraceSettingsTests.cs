using Runtime.Host.Settings;
using Runtime.Inference;

namespace Runtime.Host.Tests.Settings;

public sealed class TraceSettingsTests
{
    private readonly TraceSettings _settings = new();

    [Fact]
    public void Get_Untouched_GivesTheDefaults()
    {
        string[] expected = ["log_frequency=0", "trace_count=-1", "trace_file=", "trace_level=OFF", "trace_mode=triton", "trace_rate=1000"];

        Assert.Equal(expected, _settings.Get("any").Select(setting => $"{setting.Key}={Assert.Single(setting.Value)}").Order());
    }

    [Theory]
    [InlineData("trace_rate", "x", "Unable to parse 'trace_rate', got: x")]
    [InlineData("trace_rate", "", "Unable to parse 'trace_rate', got: ")]
    [InlineData("trace_rate", "1.5", "Unable to parse 'trace_rate', got: 1.5")]
    [InlineData("trace_rate", "99999999999", "Unable to parse 'trace_rate', value is out of range [ 0, 4294967295 ], got: 99999999999")]
    [InlineData("trace_rate", "99999999999999999999", "Unable to parse 'trace_rate', value is out of range [ 0, 4294967295 ], got: 99999999999999999999")]
    [InlineData("trace_count", "-5", "Unable to parse 'trace_count'. Expecting value >= -1, got:-5")]
    [InlineData("trace_count", "2147483648", "Unable to parse 'trace_count', value is out of range [ -1, 2147483647 ], got: 2147483648")]
    [InlineData("log_frequency", "-1", "Unable to parse 'log_frequency', value is out of range [ 0, 4294967295 ], got: -1")]
    [InlineData("trace_rate", "1 2", "expect only 1 value for 'trace_rate'")]
    [InlineData("trace_level", "OFF TIMESTAMPS", "Expect only one trace level 'OFF' is specified")]
    [InlineData("trace_level", "TIMESTAMPS", "Attempting to set invalid trace setting")]
    public void TryUpdate_BadValue_ChangesNothing(string name, string values, string error)
    {
        var changes = new Dictionary<string, IReadOnlyList<string>?> { ["trace_count"] = ["7"], [name] = values.Split(' ') };

        var refused = _settings.TryUpdate(null, changes);

        Assert.Equal(ErrorCode.InvalidArgument, refused?.Code);
        Assert.StartsWith(error, refused?.Message, StringComparison.Ordinal);
        Assert.Equal(["-1"], _settings.Get(null)["trace_count"]);
    }

    [Fact]
    public void TryUpdate_TraceFile_IsUnsupported() => Assert.Equal(ErrorCode.Unsupported, Update(null, "trace_file", "x")?.Code);

    [Fact]
    public void TryUpdate_UnknownNameOrLevel_ChangesNothing()
    {
        Assert.Null(Update(null, "foo", "bar"));
        Assert.Null(Update(null, "trace_level", "FOO"));

        Assert.Equal(["OFF"], _settings.Get(null)["trace_level"]);
        Assert.DoesNotContain("foo", _settings.Get(null).Keys);
    }

    [Fact]
    public void TryUpdate_Model_OverridesTheServerUntilCleared()
    {
        Update(null, "trace_rate", "500");
        Update("simple", "trace_rate", "7");
        Update(null, "trace_count", "10");

        Assert.Equal(("7", "10"), (Rate("simple"), _settings.Get("simple")["trace_count"][0]));
        Assert.Equal(("500", "500"), (Rate(null), Rate("other")));

        _settings.TryUpdate("simple", new Dictionary<string, IReadOnlyList<string>?> { ["trace_rate"] = null });
        Assert.Equal("500", Rate("simple"));

        _settings.TryUpdate("", new Dictionary<string, IReadOnlyList<string>?> { ["trace_rate"] = [] });
        Assert.Equal("1000", Rate("simple"));
    }

    private InferenceError? Update(string? model, string name, string value)
        => _settings.TryUpdate(model, new Dictionary<string, IReadOnlyList<string>?> { [name] = [value] });

    private string Rate(string? model) => _settings.Get(model)["trace_rate"][0];
}
