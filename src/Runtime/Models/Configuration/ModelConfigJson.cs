using System.Text.Json;

namespace Runtime.Models.Configuration;

/// <summary>A model's configuration as JSON.</summary>
public static class ModelConfigJson
{
    public static void Write(Protocol.ModelConfig config, Utf8JsonWriter writer) => throw new NotSupportedException();
}
