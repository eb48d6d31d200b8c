using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Runtime.Functions.Conversion;

/// <summary>
/// Writes values as JSON. A function's own types are read here and not by the serializer, which remembers every type that it
/// has seen for as long as the process lives, and the function's assembly with it.
/// </summary>
internal static class NestedJson
{
    private static readonly JsonSerializerOptions Options = new();

    /// <exception cref="ArgumentException">The value, or one inside of it, cannot be JSON.</exception>
    public static byte[] Write(object value)
    {
        using var buffer = new MemoryStream();
        using var writer = new Utf8JsonWriter(buffer);
        try
        {
            Write(writer, value);
            writer.Flush();
            return buffer.ToArray();
        }
        catch (Exception exception) when (exception is NotSupportedException or JsonException or InvalidOperationException or ArgumentException)
        {
            throw new ArgumentException($"is a {value.GetType().Name}, which is no tensor and cannot be JSON: {exception.Message}", exception);
        }
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string or JsonNode or JsonElement or JsonDocument or byte[]:
                JsonSerializer.Serialize(writer, value, value.GetType(), Options);
                break;
            case IDictionary map:
                WriteObject(writer, map.Keys.Cast<object>().Select(key => (Convert.ToString(key, CultureInfo.InvariantCulture) ?? "", map[key])));
                break;
            case IEnumerable<KeyValuePair<string, object?>> map:
                WriteObject(writer, map.Select(entry => (entry.Key, entry.Value)));
                break;
            case IEnumerable list:
                WriteArray(writer, list);
                break;
            case Enum name when value.GetType().IsCollectible:
                writer.WriteStringValue(name.ToString());
                break;
            case not null when value.GetType().IsCollectible:
                WriteObject(writer, Members(value));
                break;
            default:
                JsonSerializer.Serialize(writer, value, value.GetType(), Options);
                break;
        }
    }

    private static void WriteArray(Utf8JsonWriter writer, IEnumerable list)
    {
        writer.WriteStartArray();
        foreach (var item in list)
        {
            Write(writer, item);
        }

        writer.WriteEndArray();
    }

    private static void WriteObject(Utf8JsonWriter writer, IEnumerable<(string Name, object? Value)> members)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in members)
        {
            writer.WritePropertyName(name);
            Write(writer, value);
        }

        writer.WriteEndObject();
    }

    private static IEnumerable<(string Name, object? Value)> Members(object value)
    {
        if (value is Delegate)
        {
            throw new NotSupportedException("a delegate has no value");
        }

        return value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanRead && property.GetIndexParameters().Length == 0 && property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .Select(property => (property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? property.Name, property.GetValue(value)));
    }
}
