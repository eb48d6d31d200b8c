using Runtime.Host.Settings;
using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Tests.Settings;

public sealed class LogSettingsTests
{
    private readonly LogSettings _settings = new(new HostOptions { LogVerbose = 3, LogWarning = false, LogFormat = "ISO8601" });

    [Fact]
    public void Get_Untouched_GivesTheOptions()
    {
        KeyValuePair<string, ParameterValue>[] expected =
        [
            new("log_file", ""), new("log_info", true), new("log_warning", false), new("log_error", true), new("log_verbose_level", 3UL), new("log_format", "ISO8601"),
        ];

        Assert.Equal(expected, _settings.Get());
    }

    [Fact]
    public void TryUpdate_EverySetting_IsInForce()
    {
        var error = _settings.TryUpdate(new Dictionary<string, ParameterValue>
        {
            ["log_info"] = false,
            ["log_warning"] = true,
            ["log_error"] = false,
            ["log_verbose_level"] = 1L,
            ["log_format"] = "default",
            ["foo"] = 1L,
        });

        Assert.Null(error);
        Assert.Equal((false, true, false, 1u, "default"), (_settings.Info, _settings.Warning, _settings.Error, _settings.VerboseLevel, _settings.Format));
    }

    public static TheoryData<string, object, ErrorCode, string> Refused => new()
    {
        { "log_info", "x", ErrorCode.InvalidArgument, "expect boolean for 'log_info'" },
        { "log_verbose_level", "1", ErrorCode.InvalidArgument, "expect unsigned integer of 32 bits for 'log_verbose_level'" },
        { "log_verbose_level", -1L, ErrorCode.InvalidArgument, "expect unsigned integer of 32 bits for 'log_verbose_level'" },
        { "log_format", "zz", ErrorCode.InvalidArgument, "invalid argument for log_format, got: zz" },
        { "log_format", -1L, ErrorCode.InvalidArgument, "expect string for 'log_format'" },
        { "log_file", "x", ErrorCode.Unsupported, "log file location can not be updated through network protocol" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void TryUpdate_BadValue_ChangesNothing(string name, object value, ErrorCode code, string message)
    {
        ParameterValue bad = value is long number ? number : (string)value;

        var error = _settings.TryUpdate(new Dictionary<string, ParameterValue> { ["log_error"] = false, [name] = bad });

        Assert.Equal(new InferenceError(code, message), error);
        Assert.True(_settings.Error);
    }
}
