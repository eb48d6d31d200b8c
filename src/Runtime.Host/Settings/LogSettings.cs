using Runtime.Host.Options;
using Runtime.Inference;

namespace Runtime.Host.Settings;

/// <summary>The logging extension's settings: <c>log_file, log_info, log_warning, log_error, log_verbose_level, log_format</c>, in force at once.</summary>
public sealed class LogSettings(HostOptions options)
{
    public bool Info => options.LogInfo;

    public bool Warning => options.LogWarning;

    public bool Error => options.LogError;

    public uint VerboseLevel => (uint)options.LogVerbose;

    /// <summary>default or ISO8601.</summary>
    public string Format => options.LogFormat;

    /// <summary>Every setting in a fixed order.</summary>
    public IReadOnlyList<KeyValuePair<string, ParameterValue>> Get() => throw new NotSupportedException();

    /// <summary>Changes settings, all or none. Unknown names are ignored, as Triton does.</summary>
    public InferenceError? TryUpdate(IReadOnlyDictionary<string, ParameterValue> changes) => throw new NotSupportedException();
}
