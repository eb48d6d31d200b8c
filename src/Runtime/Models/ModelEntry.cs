using Runtime.Inference;

namespace Runtime.Models;

/// <summary>What is known of one model by name: its versions, those that serve and those that do not. Guarded by the repository's lock.</summary>
internal sealed class ModelEntry(string name)
{
    /// <summary>Stands for whichever version is the latest.</summary>
    public const long Latest = -1;

    private readonly SortedDictionary<long, (string State, string Reason)> _states = [];
    private bool _lacksVersions;

    public string Name { get; } = name;

    /// <summary>Loads and unloads of one model happen one after the other.</summary>
    public SemaphoreSlim Changing { get; } = new(1, 1);

    /// <summary>The versions that serve, ascending.</summary>
    public IReadOnlyList<ServedVersion> Served { get; private set; } = [];

    /// <summary>For an ensemble that serves, the models of its steps.</summary>
    public IReadOnlyList<string> Steps { get; private set; } = [];

    /// <summary>The step that its load waits for; null where it waits for none.</summary>
    public string? AwaitedStep { get; set; }

    /// <summary>Whether it was asked for by name, not only as a step of an ensemble.</summary>
    public bool IsWanted { get; set; }

    /// <summary>The fingerprint of the directory that was loaded last; null for files that a client sent.</summary>
    public long? Fingerprint { get; set; }

    /// <summary>Why the model could not even be looked at; empty where it could.</summary>
    public string Refusal { get; private set; } = "";

    /// <summary>Whether it should serve and a version of it does not.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Takes over what a load came to, and returns the versions that it replaces. A version that failed keeps serving as it was.</summary>
    public IReadOnlyList<ServedVersion> Adopt(LoadResult result)
    {
        var kept = Served.Where(old => result.Failed.ContainsKey(old.Model.Version)).ToArray();
        var retired = Served.Except(kept).ToArray();
        foreach (var old in retired)
        {
            _states[old.Model.Version] = (ModelState.Unloading, "");
        }

        foreach (var (version, reason) in result.Failed)
        {
            _states[version] = kept.Any(old => old.Model.Version == version)
                ? (ModelState.Ready, $"the last reload failed: {reason}")
                : (ModelState.Unavailable, reason);
        }

        foreach (var served in result.Served)
        {
            _states[served.Model.Version] = (ModelState.Ready, "");
        }

        Served = [.. kept.Concat(result.Served).OrderBy(served => served.Model.Version)];
        Steps = Served.Count > 0 ? result.Steps : [];
        Refusal = "";
        HasFailed = _states.Any(state => state.Value.State == ModelState.Unavailable && result.Failed.ContainsKey(state.Key));
        return retired;
    }

    /// <summary>Records that there was nothing to load, for want of a readable configuration or of a version; what serves goes on.</summary>
    public void Refuse(string reason, bool lacksVersions)
    {
        Refusal = reason;
        _lacksVersions = lacksVersions;
        HasFailed = Served.Count == 0;
    }

    /// <summary>Stops serving, and returns what served.</summary>
    public IReadOnlyList<ServedVersion> Clear()
    {
        var retired = Served;
        foreach (var version in _states.Keys.ToArray())
        {
            var serves = retired.Any(served => served.Model.Version == version);
            _states[version] = serves ? (ModelState.Unloading, "") : (ModelState.Unavailable, "unloaded");
        }

        Served = [];
        Steps = [];
        IsWanted = false;
        Refusal = "";
        HasFailed = false;
        return retired;
    }

    /// <summary>Records that a retired version is gone, unless another of that number has taken its place.</summary>
    public void Unloaded(long version)
    {
        if (_states.TryGetValue(version, out var state) && state.State == ModelState.Unloading)
        {
            _states[version] = (ModelState.Unavailable, "unloaded");
        }
    }

    /// <summary>
    /// The lines of the index: one a version, so none for a model without versions, or one without a version for a model
    /// that never got that far (Triton's rule).
    /// </summary>
    public IEnumerable<ModelIndexEntry> Index()
    {
        if (_states.Count == 0)
        {
            return _lacksVersions ? [] : [new ModelIndexEntry(Name, "", "", Refusal)];
        }

        return _states.Select(state => new ModelIndexEntry(
            Name,
            state.Key.ToString(System.Globalization.CultureInfo.InvariantCulture),
            state.Value.State,
            Refusal.Length > 0 ? $"the last reload failed: {Refusal}" : state.Value.Reason));
    }

    /// <summary>The version asked for, <see cref="Latest"/> for the latest; or why there is none.</summary>
    public InferenceError? TryFind(long version, out ServedVersion? served)
    {
        var serving = Served;
        served = version == Latest && serving.Count > 0 ? serving[^1] : null;
        for (var i = 0; served is null && i < serving.Count; i++)
        {
            served = serving[i].Model.Version == version ? serving[i] : null;
        }

        if (served is not null)
        {
            return null;
        }

        return serving.Count == 0
            ? InferenceError.NotFound($"Request for unknown model: '{Name}' has no available versions")
            : InferenceError.NotFound($"Request for unknown model: '{Name}' version {version} is not found");
    }
}
