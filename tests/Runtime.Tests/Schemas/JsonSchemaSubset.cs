using System.Text.Json;

namespace Runtime.Tests.Schemas;

/// <summary>The keywords of JSON Schema 2020-12 that our contracts use; any other makes the check itself fail.</summary>
internal sealed class JsonSchemaSubset(JsonElement root)
{
    /// <summary>Null when the value fits, or the keyword that it breaks.</summary>
    public string? Check(JsonElement value) => Check(root, value);

    private string? Check(JsonElement schema, JsonElement value)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            if (!Holds(keyword.Name, keyword.Value, schema, value))
            {
                return $"{keyword.Name} by {value.GetRawText()}";
            }
        }

        return null;
    }

    private bool Holds(string keyword, JsonElement argument, JsonElement schema, JsonElement value) => keyword switch
    {
        "$schema" or "$defs" or "title" or "description" => true,
        "$ref" => Check(Resolve(argument.GetString()!), value) is null,
        "type" => IsType(argument.GetString()!, value),
        "enum" => argument.EnumerateArray().Any(choice => JsonElement.DeepEquals(choice, value)),
        "const" => JsonElement.DeepEquals(argument, value),
        "anyOf" => argument.EnumerateArray().Any(choice => Check(choice, value) is null),
        "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() >= argument.GetDecimal(),
        "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() <= argument.GetDecimal(),
        "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.EnumerateRunes().Count() >= argument.GetInt32(),
        "minItems" or "maxItems" or "items" => value.ValueKind != JsonValueKind.Array || HoldsForArray(keyword, argument, value),
        _ => value.ValueKind != JsonValueKind.Object || HoldsForObject(keyword, argument, schema, value),
    };

    private bool HoldsForArray(string keyword, JsonElement argument, JsonElement value) => keyword switch
    {
        "minItems" => value.GetArrayLength() >= argument.GetInt32(),
        "maxItems" => value.GetArrayLength() <= argument.GetInt32(),
        _ => value.EnumerateArray().All(item => Check(argument, item) is null),
    };

    private bool HoldsForObject(string keyword, JsonElement argument, JsonElement schema, JsonElement value) => keyword switch
    {
        "minProperties" => value.EnumerateObject().Count() >= argument.GetInt32(),
        "maxProperties" => value.EnumerateObject().Count() <= argument.GetInt32(),
        "required" => argument.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
        "properties" => argument.EnumerateObject().All(property => !value.TryGetProperty(property.Name, out var found) || Check(property.Value, found) is null),
        "additionalProperties" => value.EnumerateObject().All(member =>
            (schema.TryGetProperty("properties", out var known) && known.TryGetProperty(member.Name, out _)) || Check(argument, member.Value) is null),
        "propertyNames" => value.EnumerateObject().All(member => Check(argument, JsonSerializer.SerializeToElement(member.Name)) is null),
        _ => throw new NotSupportedException(keyword),
    };

    private static bool IsType(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "integer" => value.ValueKind == JsonValueKind.Number && decimal.IsInteger(value.GetDecimal()),
        _ => throw new NotSupportedException(type),
    };

    private JsonElement Resolve(string reference) => reference.Split('/').Skip(1).Aggregate(root, (element, name) => element.GetProperty(name));
}
