using System.Text.Json;
using Runtime.Inference;
using Runtime.Models;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary>POST <c>/v2/repository[/{repository}]/index</c> and <c>/v2/repository[/{repository}]/models/{model}/load|unload</c>.</summary>
internal sealed class RepositoryEndpoints(HostOptions options, ModelRepository models)
{
    public async Task IndexAsync(HttpContext context)
    {
        var (request, error) = await ReadAsync(context, "");
        using (request)
        {
            var readyOnly = false;
            if (error is null && request.TryFind("ready", out var ready) && JsonValues.TryGetBool(ready, "ready", out readyOnly) is not null)
            {
                error = InferenceError.InvalidArgument("Invalid value for 'ready': expected a boolean");
            }

            await (error is null ? JsonResponse.WriteAsync(context, models.Index(readyOnly), WriteIndex) : HttpErrors.WriteAsync(context, error));
        }
    }

    /// <summary>Loads a model, and goes on with it when the client leaves.</summary>
    public async Task LoadAsync(HttpContext context, string repository, string model)
    {
        var (request, error) = await ReadAsync(context, repository);
        using (request)
        {
            LoadOverrides? overrides = null;
            error ??= ReadOverrides(request, out overrides);
            error ??= await models.LoadAsync(model, overrides, CancellationToken.None);
            await JsonResponse.EmptyOrErrorAsync(context, error);
        }
    }

    public async Task UnloadAsync(HttpContext context, string repository, string model)
    {
        var (request, error) = await ReadAsync(context, repository);
        using (request)
        {
            // What is no boolean asks for nothing, as Triton sees it.
            var withDependents = error is null && request.TryFind("parameters", out var parameters)
                && JsonRequest.TryFind(parameters, "unload_dependents", out var value) && value.ValueKind == JsonValueKind.True;
            error ??= await models.UnloadAsync(model, withDependents, CancellationToken.None);
            await JsonResponse.EmptyOrErrorAsync(context, error);
        }
    }

    /// <summary>The configuration and the files that a load request brings along; null overrides where it brings none.</summary>
    internal static InferenceError? ReadOverrides(JsonRequest request, out LoadOverrides? overrides)
    {
        overrides = null;
        if (!request.TryFind("parameters", out var parameters))
        {
            return null;
        }

        if (parameters.ValueKind != JsonValueKind.Object)
        {
            return InferenceError.InvalidArgument("Unable to parse 'parameters': attempt to get members for non-object");
        }

        string? config = null;
        var files = new Dictionary<string, ReadOnlyMemory<byte>>();
        foreach (var parameter in parameters.EnumerateObject())
        {
            var error = ReadOverride(parameter, files, ref config);
            if (error is not null)
            {
                return error;
            }
        }

        overrides = config is null && files.Count == 0 ? null : new LoadOverrides(config, files);
        return null;
    }

    private static InferenceError? ReadOverride(JsonProperty parameter, Dictionary<string, ReadOnlyMemory<byte>> files, ref string? config)
    {
        var name = parameter.Name;
        var isFile = name.StartsWith("file:", StringComparison.Ordinal);
        if (name != "config" && !isFile)
        {
            return InferenceError.InvalidArgument($"unexpected error on creating Triton parameter: a load takes 'config' and 'file:<path>', not '{name}'");
        }

        if (!isFile)
        {
            return JsonValues.TryGetString(parameter.Value, name, out config);
        }

        if (parameter.Value.ValueKind != JsonValueKind.String)
        {
            return JsonValues.Wrong(name, "non-string as string");
        }

        if (!parameter.Value.TryGetBytesFromBase64(out var content))
        {
            return InferenceError.InvalidArgument($"failed to decode the base64 of parameter '{name}'");
        }

        files[name["file:".Length..]] = content;
        return null;
    }

    private async Task<(JsonRequest Request, InferenceError? Error)> ReadAsync(HttpContext context, string repository)
    {
        if (repository.Length > 0)
        {
            return (new JsonRequest(), InferenceError.Unsupported("'repository_name' specification is not supported"));
        }

        var read = await JsonRequest.ReadAsync(context, options.HttpMaxInputSize, mayBeEmpty: true);

        // What follows reads directories, which a thread of the sockets must not wait for.
        await Task.Yield();
        return read;
    }

    private static void WriteIndex(Utf8JsonWriter writer, IReadOnlyList<ModelIndexEntry> entries)
    {
        writer.WriteStartArray();
        foreach (var entry in entries)
        {
            writer.WriteStartObject();
            writer.WriteString("name", entry.Name);
            WriteUnlessEmpty(writer, "version", entry.Version);
            WriteUnlessEmpty(writer, "state", entry.State);
            WriteUnlessEmpty(writer, "reason", entry.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteUnlessEmpty(Utf8JsonWriter writer, string name, string value)
    {
        if (value.Length > 0)
        {
            writer.WriteString(name, value);
        }
    }
}
