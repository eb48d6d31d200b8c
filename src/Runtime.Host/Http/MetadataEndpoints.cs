using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Runtime.Models;
using Runtime.Tensors;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary>GET <c>/v2</c> and <c>/v2/models/{model}[/versions/{version}]</c>.</summary>
internal sealed class MetadataEndpoints(HostOptions options, ModelRepository models)
{
    /// <summary>The protocol extensions of this server, the same over HTTP and gRPC.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [
        "classification", "sequence", "model_repository", "model_repository(unload_dependents)", "schedule_policy", "model_configuration", "system_shared_memory",
        "cuda_shared_memory", "binary_tensor_data", "parameters", "statistics", "trace", "logging",
    ];

    /// <summary>The server's version, without the commit that builds append.</summary>
    public static string Version { get; } =
        (typeof(MetadataEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    public Task ServerAsync(HttpContext context) => JsonResponse.WriteAsync(context, options.Id, WriteServer);

    public Task ModelAsync(HttpContext context, string model, string version)
    {
        var error = models.TryAcquire(model, version, out var lease);
        if (error is not null)
        {
            return HttpErrors.WriteAsync(context, error);
        }

        using (lease)
        {
            var versions = version.Length > 0 ? [lease.Model.Version] : models.ReadyVersions(model);
            return JsonResponse.WriteAsync(context, (lease.Model.Config, versions), static (writer, value) => WriteModel(writer, value.Config, value.versions));
        }
    }

    internal static void WriteModel(Utf8JsonWriter writer, ModelConfig config, IReadOnlyList<long> versions)
    {
        writer.WriteStartObject();
        writer.WriteString("name", config.Name);
        writer.WriteStartArray("versions");
        foreach (var version in versions)
        {
            writer.WriteStringValue(version.ToString(CultureInfo.InvariantCulture));
        }

        writer.WriteEndArray();
        writer.WriteString("platform", config.Platform.Length > 0 ? config.Platform : config.Backend);
        WriteTensors(writer, "inputs", config.Inputs, config.IsBatching);
        WriteTensors(writer, "outputs", config.Outputs, config.IsBatching);
        writer.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter writer, string name, IReadOnlyList<TensorConfig> tensors, bool isBatching)
    {
        writer.WriteStartArray(name);
        foreach (var tensor in tensors)
        {
            writer.WriteStartObject();
            writer.WriteString("name", tensor.Name);
            writer.WriteString("datatype", tensor.Type.Name());
            writer.WriteStartArray("shape");
            foreach (var dimension in tensor.ClientShape(isBatching))
            {
                writer.WriteNumberValue(dimension);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteServer(Utf8JsonWriter writer, string id)
    {
        writer.WriteStartObject();
        writer.WriteString("name", id);
        writer.WriteString("version", Version);
        writer.WriteStartArray("extensions");
        foreach (var extension in Extensions)
        {
            writer.WriteStringValue(extension);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
