using System.Text.Json;

namespace Runtime.Models.Configuration;

/// <summary>Reads and writes a model's configuration as the JSON that Triton's load and config requests carry.</summary>
public static class ModelConfigJson
{
    private const int DeepestNesting = 100;

    /// <summary>Reads a configuration; <paramref name="source"/> is what messages call the text.</summary>
    /// <exception cref="ModelConfigException">The text is no configuration; the message names the field.</exception>
    public static Protocol.ModelConfig Parse(string json, string source)
    {
        var target = new FieldTarget(ConfigSchema.ModelConfig);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = DeepestNesting });
            new JsonFormatReader(source).ReadMessage(document.RootElement, target, "");
        }
        catch (JsonException exception)
        {
            throw new ModelConfigException($"{source}:{exception.LineNumber + 1}:{exception.BytePositionInLine + 1}: not JSON: {exception.Message}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            // The document's strings are decoded when they are asked for, and a lone surrogate shows only then.
            throw new ModelConfigException($"{source}: a string is not Unicode text: {exception.Message}");
        }

        return Protocol.ModelConfig.Parser.ParseFrom(target.ToBytes());
    }

    /// <summary>Writes the configuration with every field but unset messages and unset members of a oneof; 64-bit integers as numbers.</summary>
    public static void Write(Protocol.ModelConfig config, Utf8JsonWriter writer) => JsonFormatWriter.WriteMessage(config, writer);
}
