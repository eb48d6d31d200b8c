using System.Buffers;
using System.Collections.Frozen;
using Runtime.Models;
using Runtime.Models.Configuration;

namespace Runtime.Host.Http;

/// <summary>A path that a model claims.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="IsHealth">Whether the path tells the model's health instead of taking its inputs.</param>
/// <param name="Output">The output that is the whole answer; empty for an object of all of them.</param>
internal sealed record ModelRoute(string Model, bool IsHealth, string Output);

/// <summary>
/// The paths that models claim by their parameters: <c>route</c> takes their inputs as a plain JSON object, <c>route_output</c>
/// names the output that is its whole answer, <c>health_route</c> tells whether the model is ready.
/// </summary>
internal sealed class ModelRoutes
{
    public const string RouteParameter = "route";
    public const string OutputParameter = "route_output";
    public const string HealthParameter = "health_route";

    private static readonly SearchValues<char> Unfit = SearchValues.Create("?#%\\\"<>{}|^`");
    private static readonly string[] Taken = ["/v2", "/metrics", "/openapi"];

    private readonly Lock _gate = new();
    private FrozenDictionary<string, ModelRoute> _routes = FrozenDictionary<string, ModelRoute>.Empty;
    private readonly HashSet<string> _loading = []; // models that have claimed and not come to an end yet
    private ModelRepository? _models;

    /// <summary>Every claimed path, for whoever describes the server.</summary>
    public IReadOnlyDictionary<string, ModelRoute> All => Volatile.Read(ref _routes);

    /// <summary>The route of a request's path, or null.</summary>
    public ModelRoute? Find(ReadOnlySpan<char> path)
    {
        var routes = Volatile.Read(ref _routes);
        return routes.Count > 0 && routes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(path, out var route) ? route : null;
    }

    /// <summary>Leaves each model only the paths of what it serves, from now on.</summary>
    public void Follow(ModelRepository models)
    {
        _models = models;
        models.Changed += change => Keep(change.Name, Served(change.Name));
    }

    /// <summary>Takes the paths of a model that is being loaded, besides those that it has.</summary>
    /// <exception cref="ModelConfigException">A path is malformed, the protocol's or another model's.</exception>
    public void Claim(ModelConfig config)
    {
        var claims = RoutesOf(config);
        lock (_gate)
        {
            var claimed = _routes.ToDictionary();
            foreach (var (path, route) in claims)
            {
                if (claimed.TryGetValue(path, out var other) && other.Model != config.Name && Claims(other.Model, path))
                {
                    throw new ModelConfigException($"model '{config.Name}': path '{path}' is already model '{other.Model}''s");
                }

                claimed[path] = route;
            }

            _loading.Add(config.Name);
            Volatile.Write(ref _routes, claimed.ToFrozenDictionary());
        }
    }

    /// <summary>Whether a model that serves or is being loaded has the path; one that was unloaded a moment ago has not.</summary>
    private bool Claims(string model, string path) => _loading.Contains(model) || (Served(model) is { } served && RoutesOf(served).ContainsKey(path));

    private ModelConfig? Served(string model)
    {
        var lease = default(ModelLease);
        if (_models is null || _models.TryAcquire(model, "", out lease) is not null)
        {
            return null;
        }

        using (lease)
        {
            return lease.Model.Config;
        }
    }

    private void Keep(string model, ModelConfig? served)
    {
        lock (_gate)
        {
            _loading.Remove(model);
            var kept = _routes.Where(entry => entry.Value.Model != model).ToDictionary();
            foreach (var (path, route) in served is null ? [] : RoutesOf(served))
            {
                kept.TryAdd(path, route);
            }

            Volatile.Write(ref _routes, kept.ToFrozenDictionary());
        }
    }

    private static Dictionary<string, ModelRoute> RoutesOf(ModelConfig config)
    {
        var routes = new Dictionary<string, ModelRoute>();
        if (config.Parameters.GetValueOrDefault(RouteParameter) is { } route)
        {
            Check(config, RouteParameter, route);
            var output = config.Parameters.GetValueOrDefault(OutputParameter, "");
            if (output.Length > 0 && !config.HasOpenOutputs && config.Outputs.All(known => known.Name != output))
            {
                throw new ModelConfigException($"model '{config.Name}': parameter '{OutputParameter}' names '{output}', which is none of its outputs");
            }

            routes[route] = new ModelRoute(config.Name, IsHealth: false, output);
        }

        if (config.Parameters.GetValueOrDefault(HealthParameter) is { } health)
        {
            Check(config, HealthParameter, health);
            if (!routes.TryAdd(health, new ModelRoute(config.Name, IsHealth: true, "")))
            {
                throw new ModelConfigException($"model '{config.Name}': parameters '{RouteParameter}' and '{HealthParameter}' are the same path, '{health}'");
            }
        }

        return routes;
    }

    private static void Check(ModelConfig config, string parameter, string path)
    {
        var isPath = path.Length > 1 && path[0] == '/' && path[^1] != '/' && !path.Contains("//", StringComparison.Ordinal)
            && !path.AsSpan().ContainsAnyExceptInRange('!', '~') && !path.AsSpan().ContainsAny(Unfit);
        if (!isPath)
        {
            throw new ModelConfigException($"model '{config.Name}': parameter '{parameter}' must be a path such as /predict, without query, escapes or a slash at its end, got '{path}'");
        }

        if (Array.Find(Taken, taken => path == taken || path.StartsWith(taken + "/", StringComparison.Ordinal)) is { } reserved)
        {
            throw new ModelConfigException($"model '{config.Name}': parameter '{parameter}' is '{path}', but {reserved} and what is under it belong to the protocol");
        }
    }
}
