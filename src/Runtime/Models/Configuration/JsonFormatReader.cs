using System.Text.Json;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Runtime.Models.Configuration;

/// <summary>Reads any message from protobuf's JSON, strictly; 64-bit integers as numbers or strings, null as not set.</summary>
internal sealed class JsonFormatReader(string source)
{
    /// <summary>Reads an object; <paramref name="path"/> leads to it from the document's root.</summary>
    public void ReadMessage(JsonElement element, FieldTarget target, string path)
    {
        Expect(element, JsonValueKind.Object, path, "an object");
        foreach (var property in element.EnumerateObject())
        {
            var fields = target.Type.Fields;
            var field = fields.FirstOrDefault(known => known.Name == property.Name || known.JsonName == property.Name)
                ?? throw Error(path, $"unknown field '{property.Name}' in {target.Type.Name}" + Suggestion.For(property.Name, fields.Select(known => known.Name)));
            if (property.Value.ValueKind != JsonValueKind.Null)
            {
                ReadField(property.Value, target, field, path.Length == 0 ? field.Name : $"{path}.{field.Name}");
            }
        }
    }

    private void ReadField(JsonElement element, FieldTarget target, ConfigField field, string path)
    {
        if (target.Claim(field) is { } refusal)
        {
            throw Error(path, refusal);
        }

        if (field.IsMap)
        {
            ReadMap(element, target, field, path);
        }
        else if (field.IsRepeated)
        {
            Expect(element, JsonValueKind.Array, path, "an array");
            var index = 0;
            foreach (var item in element.EnumerateArray())
            {
                Store(target, field, ReadValue(item, field, $"{path}[{index++}]"), path);
            }
        }
        else
        {
            Store(target, field, ReadValue(element, field, path), path);
        }
    }

    private void ReadMap(JsonElement element, FieldTarget target, ConfigField field, string path)
    {
        Expect(element, JsonValueKind.Object, path, "an object");
        var (keyField, valueField) = (field.Message.Key, field.Message.Value);
        foreach (var property in element.EnumerateObject())
        {
            var entryPath = $"{path}['{property.Name}']";
            var key = keyField.Type == FieldType.String ? property.Name : ReadIntegerText(property.Name, keyField, entryPath);
            var entry = new FieldTarget(field.Message);
            entry.Store(keyField, key);
            entry.Store(valueField, ReadValue(property.Value, valueField, entryPath));
            Store(target, field, entry, path);
        }
    }

    private void Store(FieldTarget target, ConfigField field, object value, string path)
    {
        if (target.Store(field, value) is { } refusal)
        {
            throw Error(path, refusal);
        }
    }

    private object ReadValue(JsonElement element, ConfigField field, string path)
    {
        switch (field.Type)
        {
            case FieldType.Message:
                var message = new FieldTarget(field.Message);
                ReadMessage(element, message, path);
                return message;
            case FieldType.String:
                Expect(element, JsonValueKind.String, path, "a string");
                return element.GetString()!;
            case FieldType.Bool:
                return element.ValueKind is JsonValueKind.True or JsonValueKind.False ? element.GetBoolean() : throw Unexpected(element, path, "true or false");
            case FieldType.Enum:
                return ReadEnum(element, field, path);
            case FieldType.Float or FieldType.Double:
                return FieldValues.Floating(field, ReadDouble(element, path));
            default:
                return element.ValueKind is JsonValueKind.Number or JsonValueKind.String
                    ? ReadIntegerText(element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText(), field, path)
                    : throw Unexpected(element, path, "an integer");
        }
    }

    private object ReadIntegerText(string text, ConfigField field, string path)
    {
        var digits = text.StartsWith('-') ? text[1..] : text;
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit) || !FieldValues.TryParseInteger(digits.TrimStart('0').PadLeft(1, '0'), out var number))
        {
            throw Error(path, $"expected an integer, got '{text}'");
        }

        return FieldValues.Integer(field, digits.Length < text.Length ? -number : number, out var range) ?? throw Error(path, $"takes {range}, got {text}");
    }

    private double ReadDouble(JsonElement element, string path) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.String when element.ValueEquals("NaN") => double.NaN,
        JsonValueKind.String when element.ValueEquals("Infinity") => double.PositiveInfinity,
        JsonValueKind.String when element.ValueEquals("-Infinity") => double.NegativeInfinity,
        _ => throw Unexpected(element, path, "a number"),
    };

    private object ReadEnum(JsonElement element, ConfigField field, string path)
    {
        var value = element.ValueKind switch
        {
            JsonValueKind.String => FieldValues.EnumByName(field, element.GetString()!),
            JsonValueKind.Number when element.TryGetInt32(out var number) => FieldValues.EnumByNumber(field, number),
            _ => null,
        };
        var names = field.Enum.Names;
        return value ?? throw Error(path, element.ValueKind == JsonValueKind.String
            ? $"has no value '{element.GetString()}'{Suggestion.For(element.GetString()!, names)}"
            : $"expected one of {string.Join(", ", names)}, got {Shown(element)}");
    }

    private void Expect(JsonElement element, JsonValueKind kind, string path, string expected)
    {
        if (element.ValueKind != kind)
        {
            throw Unexpected(element, path, expected);
        }
    }

    private ModelConfigException Unexpected(JsonElement element, string path, string expected) => Error(path, $"expected {expected}, got {Shown(element)}");

    private static string Shown(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        _ => element.GetRawText() is { Length: > 40 } text ? text[..40] + "..." : element.GetRawText(),
    };

    private ModelConfigException Error(string path, string message) => new(path.Length == 0 ? $"{source}: {message}" : $"{source}: {path}: {message}");
}
