using Runtime.Host.Settings;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Protocol;
using Choice = Runtime.Protocol.LogSettingsRequest.Types.SettingValue.ParameterChoiceOneofCase;

namespace Runtime.Host.Grpc;

/// <summary>The trace and logging extensions: both answer every setting, after the changes that the request asks for.</summary>
internal sealed class SettingsMethods(TraceSettings traces, LogSettings logs, ModelRepository models)
{
    public Reply<TraceSettingResponse> Trace(TraceSettingRequest request)
    {
        var model = request.ModelName.Length > 0 ? request.ModelName : null;
        if (model is not null && models.ReadyVersions(model).Count == 0)
        {
            return InferenceError.InvalidArgument($"Request for unknown model : {model}");
        }

        if (request.Settings.Count > 0)
        {
            var changes = request.Settings.ToDictionary(
                setting => setting.Key,
                setting => setting.Value.Value.Count > 0 ? (IReadOnlyList<string>)setting.Value.Value : null);
            if (traces.TryUpdate(model, changes) is { } error)
            {
                return error;
            }
        }

        var response = new TraceSettingResponse();
        foreach (var (name, values) in traces.Get(model))
        {
            response.Settings[name] = new TraceSettingResponse.Types.SettingValue { Value = { values } };
        }

        return response;
    }

    public Reply<LogSettingsResponse> Log(LogSettingsRequest request)
    {
        var changes = new Dictionary<string, ParameterValue>();
        foreach (var (name, value) in request.Settings)
        {
            if (TryReadLogSetting(name, value, changes) is { } invalid)
            {
                return invalid;
            }
        }

        if (changes.Count > 0 && logs.TryUpdate(changes) is { } error)
        {
            return error;
        }

        var response = new LogSettingsResponse();
        foreach (var (name, value) in logs.Get())
        {
            response.Settings[name] = Describe(value);
        }

        return response;
    }

    /// <summary>Takes over a change whose value is of the setting's kind; settings that nobody knows are ignored, as Triton does.</summary>
    private static InferenceError? TryReadLogSetting(string name, LogSettingsRequest.Types.SettingValue value, Dictionary<string, ParameterValue> changes)
    {
        var (kind, text) = name switch
        {
            "log_info" or "log_warning" or "log_error" => (Choice.BoolParam, "boolean"),
            "log_verbose_level" => (Choice.Uint32Param, "uint32"),
            "log_file" or "log_format" => (Choice.StringParam, "string"),
            _ => (Choice.None, ""),
        };
        if (kind == Choice.None)
        {
            return null;
        }

        if (value.ParameterChoiceCase != kind)
        {
            return InferenceError.InvalidArgument($"expect {text} for '{name}'");
        }

        changes[name] = kind switch
        {
            Choice.BoolParam => value.BoolParam,
            Choice.Uint32Param => (ulong)value.Uint32Param,
            _ => value.StringParam,
        };
        return null;
    }

    private static LogSettingsResponse.Types.SettingValue Describe(ParameterValue value) => value.Kind switch
    {
        ParameterKind.Bool => new() { BoolParam = value.AsBool },
        ParameterKind.String => new() { StringParam = value.AsString },
        _ => new() { Uint32Param = (uint)value.AsUint64 },
    };
}
