using System.Text.Json;
using Runtime.Host.Settings;
using Runtime.Inference;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary>GET and POST <c>/v2[/models/{model}]/trace/setting</c>: the settings as they are, or as the request changes them.</summary>
internal sealed class TraceEndpoint(HostOptions options, TraceSettings settings, ModelRepository models)
{
    /// <summary>Answers for the server (model empty) or for one model.</summary>
    public Task GetAsync(HttpContext context, string model)
    {
        var error = CheckModel(model);
        return error is null ? WriteAsync(context, model) : HttpErrors.WriteAsync(context, error);
    }

    /// <inheritdoc cref="GetAsync"/>
    public async Task UpdateAsync(HttpContext context, string model)
    {
        var (request, error) = await JsonRequest.ReadAsync(context, options.HttpMaxInputSize, mayBeEmpty: false);
        using (request)
        {
            var changes = new Dictionary<string, IReadOnlyList<string>?>();
            error ??= CheckModel(model) ?? Read(request, changes);
            error ??= settings.TryUpdate(model, changes);
            await (error is null ? WriteAsync(context, model) : HttpErrors.WriteAsync(context, error));
        }
    }

    private InferenceError? Read(JsonRequest request, Dictionary<string, IReadOnlyList<string>?> changes)
    {
        foreach (var name in settings.Get(null).Keys)
        {
            if (!request.TryFind(name, out var value))
            {
                continue;
            }

            var error = Read(value, name, out var texts);
            if (error is not null)
            {
                return error;
            }

            changes[name] = texts;
        }

        return null;
    }

    /// <summary>Levels are an array of strings, all else is one string; null clears a setting.</summary>
    private static InferenceError? Read(JsonElement value, string name, out IReadOnlyList<string>? texts)
    {
        texts = null;
        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (name != "trace_level")
        {
            var error = JsonValues.TryGetString(value, name, out var text);
            texts = [text];
            return error;
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return JsonValues.Wrong(name, "non-array as array");
        }

        var levels = new List<string>();
        foreach (var element in value.EnumerateArray())
        {
            var error = JsonValues.TryGetString(element, name, out var level);
            if (error is not null)
            {
                return error;
            }

            levels.Add(level);
        }

        texts = levels;
        return null;
    }

    private InferenceError? CheckModel(string model)
        => model.Length == 0 || models.IsModelReady(model, "", out _) ? null : InferenceError.InvalidArgument($"Request for unknown model : {model}");

    private Task WriteAsync(HttpContext context, string model) => JsonResponse.WriteAsync(context, settings.Get(model), Write);

    private static void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, IReadOnlyList<string>> settings)
    {
        writer.WriteStartObject();
        foreach (var (name, values) in settings)
        {
            if (name != "trace_level")
            {
                writer.WriteString(name, values[0]);
                continue;
            }

            writer.WriteStartArray(name);
            foreach (var value in values)
            {
                writer.WriteStringValue(value);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
