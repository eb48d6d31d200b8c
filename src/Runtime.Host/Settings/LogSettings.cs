using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Settings;

/// <summary>The logging extension's settings: <c>log_file, log_info, log_warning, log_error, log_verbose_level, log_format</c>, in force at once. Thread-safe.</summary>
public sealed class LogSettings
{
    private readonly Lock _gate = new();
    private volatile Values _values;

    /// <summary>The settings of the start.</summary>
    public LogSettings(HostOptions options)
        => (TagsInference, _values) = (options.LogInferenceTag, new Values(options.LogFile, options.LogInfo, options.LogWarning, options.LogError, (uint)Math.Max(0, options.LogVerbose), options.LogFormat));

    public bool Info => _values.Info;

    public bool Warning => _values.Warning;

    public bool Error => _values.Error;

    public uint VerboseLevel => _values.VerboseLevel;

    /// <summary>default, ISO8601 or json.</summary>
    public string Format => _values.Format;

    /// <summary>Whether lines carry the mark of NVIDIA Cloud Functions' library.</summary>
    internal bool TagsInference { get; }

    /// <summary>Whether there is a format of that name.</summary>
    public static bool IsFormat(string format) => format is "default" or "ISO8601" or "json";

    /// <summary>Every setting in a fixed order.</summary>
    public IReadOnlyList<KeyValuePair<string, ParameterValue>> Get()
    {
        var values = _values;
        return
        [
            new("log_file", values.File),
            new("log_info", values.Info),
            new("log_warning", values.Warning),
            new("log_error", values.Error),
            new("log_verbose_level", (ulong)values.VerboseLevel),
            new("log_format", values.Format),
        ];
    }

    /// <summary>Changes settings, all or none. Unknown names are ignored, as Triton does.</summary>
    public InferenceError? TryUpdate(IReadOnlyDictionary<string, ParameterValue> changes)
    {
        lock (_gate)
        {
            var updated = _values;
            foreach (var (name, value) in changes)
            {
                var error = TryApply(ref updated, name, value);
                if (error is not null)
                {
                    return error;
                }
            }

            _values = updated;
            return null;
        }
    }

    private static InferenceError? TryApply(ref Values values, string name, ParameterValue value)
    {
        switch (name)
        {
            case "log_file":
                return InferenceError.Unsupported("log file location can not be updated through network protocol");
            case "log_info" or "log_warning" or "log_error":
                if (value.Kind != ParameterKind.Bool)
                {
                    return InferenceError.InvalidArgument($"expect boolean for '{name}'");
                }

                values = name switch
                {
                    "log_info" => values with { Info = value.AsBool },
                    "log_warning" => values with { Warning = value.AsBool },
                    _ => values with { Error = value.AsBool },
                };
                return null;
            case "log_verbose_level":
                if (value.Kind is not (ParameterKind.Int64 or ParameterKind.Uint64) || value.AsUint64 > uint.MaxValue)
                {
                    return InferenceError.InvalidArgument($"expect unsigned integer of 32 bits for '{name}'");
                }

                values = values with { VerboseLevel = (uint)value.AsUint64 };
                return null;
            case "log_format":
                if (value.Kind != ParameterKind.String)
                {
                    return InferenceError.InvalidArgument($"expect string for '{name}'");
                }

                values = values with { Format = value.AsString };
                return IsFormat(value.AsString) ? null : InferenceError.InvalidArgument($"invalid argument for {name}, got: {value.AsString}");
            default:
                return null;
        }
    }

    private sealed record Values(string File, bool Info, bool Warning, bool Error, uint VerboseLevel, string Format);
}
