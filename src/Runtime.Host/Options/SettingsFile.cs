using System.Text.Json;
using Runtime.Host.Lifecycle;

namespace Runtime.Host.Options;

/// <summary>Reads settings from a JSON object whose keys are the flags' names, with dashes or underscores.</summary>
internal static class SettingsFile
{
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip };

    public static Dictionary<Option, Setting> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), Lenient);
            return Read(path, document.RootElement);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"cannot read the settings file '{path}': {e.Message}", e);
        }
        catch (JsonException e)
        {
            throw new StartException($"the settings file '{path}' is not JSON: {e.Message}", e);
        }
    }

    private static Dictionary<Option, Setting> Read(string path, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new StartException($"the settings file '{path}' must hold one JSON object");
        }

        var settings = new Dictionary<Option, Setting>();
        foreach (var property in root.EnumerateObject())
        {
            var origin = $"'{property.Name}' in {path}";
            var option = OptionTable.Find(property.Name)
                ?? throw new StartException($"unknown setting {origin}{Spelling.Suggest(property.Name.Replace('_', '-'), OptionTable.All.Select(o => o.Name))}");
            if (!settings.TryAdd(option, new Setting(origin, Values(origin, option, property.Value))))
            {
                throw new StartException($"{origin} is there twice");
            }
        }

        return settings;
    }

    private static string[] Values(string origin, Option option, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && option.IsList
            ? [.. value.EnumerateArray().Select(item => Text(origin, item))]
            : [Text(origin, value)];

    private static string Text(string origin, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw new StartException($"{origin}: expected a text, a number, true or false, got {value.GetRawText()}"),
    };
}
