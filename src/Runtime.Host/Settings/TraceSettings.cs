using System.Globalization;
using Runtime.Inference;
using Values = System.Collections.Generic.Dictionary<string, System.Collections.Generic.IReadOnlyList<string>>;

namespace Runtime.Host.Settings;

/// <summary>The trace extension's settings: <c>trace_file, trace_level, trace_rate, trace_count, log_frequency, trace_mode</c>; a model's fall back to the server's. Thread-safe.</summary>
public sealed class TraceSettings
{
    private static readonly Values Defaults = new()
    {
        ["trace_file"] = [""],
        ["trace_level"] = ["OFF"],
        ["trace_rate"] = ["1000"],
        ["trace_count"] = ["-1"],
        ["log_frequency"] = ["0"],
        ["trace_mode"] = ["triton"],
    };

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Values> _models = [];
    private Values _server = [];

    /// <summary>Every setting with its values, of the server (model null) or of one model.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Get(string? model)
    {
        lock (_gate)
        {
            return Merged(Of(model));
        }
    }

    /// <summary>Changes settings, all or none; a null list clears one back to the server's or the start's value. Unknown names are ignored, as Triton does.</summary>
    public InferenceError? TryUpdate(string? model, IReadOnlyDictionary<string, IReadOnlyList<string>?> changes)
    {
        lock (_gate)
        {
            var updated = new Values(Of(model));
            foreach (var (name, values) in changes)
            {
                var error = TryApply(updated, name, values);
                if (error is not null)
                {
                    return error;
                }
            }

            if (string.IsNullOrEmpty(model))
            {
                _server = updated;
            }
            else
            {
                _models[model] = updated;
            }

            return null;
        }
    }

    private Values Of(string? model) => string.IsNullOrEmpty(model) ? _server : _models.GetValueOrDefault(model) ?? [];

    private Values Merged(Values own)
    {
        var merged = new Values(Defaults);
        foreach (var (name, values) in _server.Concat(own))
        {
            merged[name] = values;
        }

        return merged;
    }

    private static InferenceError? TryApply(Values target, string name, IReadOnlyList<string>? values)
    {
        if (name == "trace_file")
        {
            return InferenceError.Unsupported("trace file location can not be updated through network protocol");
        }

        if (name is not ("trace_level" or "trace_rate" or "trace_count" or "log_frequency"))
        {
            return null;
        }

        if (values is null || values.Count == 0)
        {
            target.Remove(name);
            return null;
        }

        if (name == "trace_level")
        {
            return TryApplyLevel(target, values);
        }

        return values.Count == 1
            ? TryApplyNumber(target, name, values[0])
            : InferenceError.InvalidArgument($"expect only 1 value for '{name}', got {values.Count}");
    }

    /// <summary>Unknown levels are ignored, as Triton does; the known ones need a trace file, which only a start could give.</summary>
    private static InferenceError? TryApplyLevel(Values target, IReadOnlyList<string> levels)
    {
        if (levels.Contains("OFF"))
        {
            if (levels.Count > 1)
            {
                return InferenceError.InvalidArgument("Expect only one trace level 'OFF' is specified");
            }

            target["trace_level"] = ["OFF"];
            return null;
        }

        return levels.Contains("TIMESTAMPS") || levels.Contains("TENSORS")
            ? InferenceError.InvalidArgument("Attempting to set invalid trace setting : trace file name is not given")
            : null;
    }

    private static InferenceError? TryApplyNumber(Values target, string name, string text)
    {
        var (least, most) = name == "trace_count" ? (-1L, (long)int.MaxValue) : (0L, uint.MaxValue);
        var digits = text.StartsWith('-') ? text.AsSpan(1) : text;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return InferenceError.InvalidArgument($"Unable to parse '{name}', got: {text}");
        }

        var fits = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        if (name == "trace_count" && text.StartsWith('-') && (!fits || number < least))
        {
            return InferenceError.InvalidArgument($"Unable to parse '{name}'. Expecting value >= -1, got:{text}");
        }

        if (!fits || number < least || number > most)
        {
            return InferenceError.InvalidArgument($"Unable to parse '{name}', value is out of range [ {least}, {most} ], got: {text}");
        }

        target[name] = [number.ToString(CultureInfo.InvariantCulture)];
        return null;
    }
}
