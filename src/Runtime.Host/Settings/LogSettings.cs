using Runtime.Inference;

namespace Runtime.Host.Settings;

/// <summary>The logging extension's settings: <c>log_file, log_info, log_warning, log_error, log_verbose_level, log_format</c>, in force at once.</summary>
public sealed class LogSettings
{
    public bool Info { get; }

    public bool Warning { get; }

    public bool Error { get; }

    public uint VerboseLevel { get; }

    /// <summary>default or ISO8601.</summary>
    public string Format => throw new NotSupportedException();

    /// <summary>Every setting in a fixed order.</summary>
    public IReadOnlyList<KeyValuePair<string, ParameterValue>> Get() => throw new NotSupportedException();

    /// <summary>Changes settings, all or none. Unknown names are ignored, as Triton does.</summary>
    public InferenceError? TryUpdate(IReadOnlyDictionary<string, ParameterValue> changes) => throw new NotSupportedException();
}
