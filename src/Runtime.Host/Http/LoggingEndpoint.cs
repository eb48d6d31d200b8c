using System.Text.Json;
using Runtime.Host.Settings;
using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary>GET and POST <c>/v2/logging</c>: the settings as they are, or as the request changes them.</summary>
internal sealed class LoggingEndpoint(HostOptions options, LogSettings settings)
{
    public Task GetAsync(HttpContext context) => JsonResponse.WriteAsync(context, settings.Get(), Write);

    public async Task UpdateAsync(HttpContext context)
    {
        var (request, error) = await JsonRequest.ReadAsync(context, options.HttpMaxInputSize, mayBeEmpty: false);
        using (request)
        {
            var changes = new Dictionary<string, ParameterValue>();
            foreach (var (name, current) in settings.Get())
            {
                if (error is null && request.TryFind(name, out var value) && value.ValueKind != JsonValueKind.Null)
                {
                    error = Read(value, name, current.Kind, out var change);
                    changes[name] = change;
                }
            }

            error ??= settings.TryUpdate(changes);
            await (error is null ? GetAsync(context) : HttpErrors.WriteAsync(context, error));
        }
    }

    private static InferenceError? Read(JsonElement value, string name, ParameterKind kind, out ParameterValue change)
    {
        InferenceError? error;
        switch (kind)
        {
            case ParameterKind.Bool:
                error = JsonValues.TryGetBool(value, name, out var flag);
                change = flag;
                return error;
            case ParameterKind.Uint64:
                error = JsonValues.TryGetUint64(value, name, out var number);
                change = number;
                return error;
            default:
                error = JsonValues.TryGetString(value, name, out var text);
                change = text;

                // Over HTTP alone, Triton calls an unknown format unavailable rather than an invalid argument.
                return name == "log_format" && error is null && !LogSettings.IsFormat(text)
                    ? InferenceError.Unavailable($"invalid argument for --log_format, got: {text}")
                    : error;
        }
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<KeyValuePair<string, ParameterValue>> settings)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in settings)
        {
            switch (value.Kind)
            {
                case ParameterKind.Bool:
                    writer.WriteBoolean(name, value.AsBool);
                    break;
                case ParameterKind.Uint64:
                    writer.WriteNumber(name, value.AsUint64);
                    break;
                default:
                    writer.WriteString(name, value.AsString);
                    break;
            }
        }

        writer.WriteEndObject();
    }
}
