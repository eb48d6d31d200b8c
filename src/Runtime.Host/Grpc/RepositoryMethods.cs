using Runtime.Inference;
using Runtime.Models;
using Runtime.Protocol;
using Choice = Runtime.Protocol.ModelRepositoryParameter.ParameterChoiceOneofCase;

namespace Runtime.Host.Grpc;

/// <summary>The model repository extension: the index, loading and unloading.</summary>
internal sealed class RepositoryMethods(ModelRepository models)
{
    private const string FilePrefix = "file:";

    private static readonly InferenceError NoNamedRepositories = InferenceError.Unsupported("'repository_name' specification is not supported");

    public Reply<RepositoryIndexResponse> Index(RepositoryIndexRequest request)
    {
        if (request.RepositoryName.Length > 0)
        {
            return NoNamedRepositories;
        }

        var lines = models.Index(request.Ready).Select(entry => new RepositoryIndexResponse.Types.ModelIndex
        {
            Name = entry.Name,
            Version = entry.Version,
            State = entry.State,
            Reason = entry.Reason,
        });
        return new RepositoryIndexResponse { Models = { lines } };
    }

    public async Task<Reply<RepositoryModelLoadResponse>> LoadAsync(RepositoryModelLoadRequest request, CancellationToken cancellation)
    {
        if (request.RepositoryName.Length > 0)
        {
            return NoNamedRepositories;
        }

        var error = TryReadOverrides(request, out var overrides) ?? await models.LoadAsync(request.ModelName, overrides, cancellation);
        return error is null ? new RepositoryModelLoadResponse() : error;
    }

    public async Task<Reply<RepositoryModelUnloadResponse>> UnloadAsync(RepositoryModelUnloadRequest request, CancellationToken cancellation)
    {
        if (request.RepositoryName.Length > 0)
        {
            return NoNamedRepositories;
        }

        var unloadDependents = false;
        if (request.Parameters.TryGetValue("unload_dependents", out var parameter))
        {
            if (parameter.ParameterChoiceCase != Choice.BoolParam)
            {
                return InferenceError.InvalidArgument("invalid value type for 'unload_dependents' parameter, expected bool_param.");
            }

            unloadDependents = parameter.BoolParam;
        }

        var error = await models.UnloadAsync(request.ModelName, unloadDependents, cancellation);
        return error is null ? new RepositoryModelUnloadResponse() : error;
    }

    private static InferenceError? TryReadOverrides(RepositoryModelLoadRequest request, out LoadOverrides? overrides)
    {
        overrides = null;
        string? config = null;
        var files = new Dictionary<string, ReadOnlyMemory<byte>>();
        foreach (var (key, value) in request.Parameters)
        {
            if (key == "config")
            {
                if (value.ParameterChoiceCase != Choice.StringParam)
                {
                    return InferenceError.InvalidArgument("invalid value type for load parameter 'config', expected string_param.");
                }

                config = value.StringParam;
            }
            else if (key.StartsWith(FilePrefix, StringComparison.Ordinal))
            {
                if (value.ParameterChoiceCase != Choice.BytesParam)
                {
                    return InferenceError.InvalidArgument($"invalid value type for load parameter '{key}', expected bytes_param.");
                }

                files[key[FilePrefix.Length..]] = value.BytesParam.Memory;
            }
            else
            {
                return InferenceError.InvalidArgument($"unrecognized load parameter '{key}'.");
            }
        }

        overrides = config is null && files.Count == 0 ? null : new LoadOverrides(config, files);
        return null;
    }
}
