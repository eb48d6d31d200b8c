using Runtime.Inference;

namespace Runtime.Host.Settings;

/// <summary>The trace extension's settings: <c>trace_file, trace_level, trace_rate, trace_count, log_frequency, trace_mode</c>; a model's fall back to the server's.</summary>
public sealed class TraceSettings
{
    /// <summary>Every setting with its values, of the server (model null) or of one model.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Get(string? model) => throw new NotSupportedException();

    /// <summary>Changes settings, all or none; a null list clears one back to the server's or the start's value. Unknown names are ignored, as Triton does.</summary>
    public InferenceError? TryUpdate(string? model, IReadOnlyDictionary<string, IReadOnlyList<string>?> changes) => throw new NotSupportedException();
}
