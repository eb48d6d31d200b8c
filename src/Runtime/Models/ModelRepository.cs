using System.Collections.Concurrent;
using System.Globalization;
using Runtime.Backends;
using Runtime.Inference;

namespace Runtime.Models;

/// <summary>The models of the process: what is in the repositories, what is loaded, and the only way to a <see cref="Model"/>.</summary>
/// <remarks>
/// Requests read without a lock; changes to one model happen one after the other, and each swaps in what was loaded
/// before it lets go of what served. Thread-safe.
/// </remarks>
public sealed class ModelRepository : IAsyncDisposable
{
    /// <summary>Stands for the files of a model that has none, so that none are looked for.</summary>
    private static readonly Dictionary<string, ReadOnlyMemory<byte>> Bound = new() { [".bound"] = default };

    private readonly RepositoryOptions _options;
    private readonly ModelLifecycle _lifecycle;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, ModelEntry> _entries = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ModelEntry>.AlternateLookup<ReadOnlySpan<char>> _byName;
    private readonly MemoryReclaim _memory;
    private readonly CancellationTokenSource _stopping = new();
    private Task _polling = Task.CompletedTask;

    public ModelRepository(RepositoryOptions options, IReadOnlyList<IBackend> backends, TimeProvider? time = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
        _memory = new MemoryReclaim(_time);
        _lifecycle = new ModelLifecycle(_entries, options, new ModelLoader(backends, options, _time, Acquire), _memory);
        _byName = _entries.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Raised when a version is loaded, unloaded or fails to load; handlers must be quick and must not throw.</summary>
    public event Action<ModelEvent>? Changed
    {
        add => _lifecycle.Changed += value;
        remove => _lifecycle.Changed -= value;
    }

    /// <summary>Raised with a model's name when an execution failed for a reason that will not go away; handlers must be quick and must not throw.</summary>
    public event Action<string, InferenceError>? FailedForGood
    {
        add => _lifecycle.FailedForGood += value;
        remove => _lifecycle.FailedForGood -= value;
    }

    /// <summary>Where models that want it keep answers; null for nowhere.</summary>
    public ResponseCache? Cache => _options.Cache;

    /// <summary>Whether every model that should be loaded is.</summary>
    public bool IsReady => _entries.Values.All(static entry => !entry.HasFailed);

    /// <summary>Loads what the mode loads at start, and begins to poll in poll mode. Returns the models that failed, with the reasons.</summary>
    /// <exception cref="IOException">A repository cannot be read.</exception>
    public async Task<IReadOnlyList<ModelEvent>> StartAsync(CancellationToken cancellation)
    {
        var found = ModelDirectory.Find(_options);
        var all = _options.Mode != ModelControlMode.Explicit || _options.LoadAtStart.Contains("*");
        var names = all ? found.Select(group => group.Key).Union(_options.LoadAtStart.Where(name => name != "*")) : _options.LoadAtStart;
        var failures = new ConcurrentQueue<ModelEvent>();
        await Parallel.ForEachAsync(names.ToArray(), cancellation, async (name, token) =>
        {
            if (await ChangeAsync(name, null, token).ConfigureAwait(false) is { } error)
            {
                failures.Enqueue(new ModelEvent(name, 0, ModelState.Unavailable, error.Message));
            }
        }).ConfigureAwait(false);
        if (_options.Mode == ModelControlMode.Poll)
        {
            _polling = new RepositoryPoller(_options, this, _time).RunAsync(_stopping.Token);
        }

        return [.. failures.OrderBy(failure => failure.Name, StringComparer.Ordinal)];
    }

    /// <summary>A lease on a version (empty: the latest), or why there is none.</summary>
    public InferenceError? TryAcquire(ReadOnlySpan<char> name, ReadOnlySpan<char> version, out ModelLease lease)
    {
        lease = default;
        if (TryParseVersion(version, out var number) is { } invalid)
        {
            return invalid;
        }

        return Acquire(name, number, out lease);
    }

    /// <summary>Whether that version (empty: the latest) serves; the error is null but for a version that is no number.</summary>
    public bool IsModelReady(string name, string version, out InferenceError? error)
    {
        error = TryParseVersion(version, out var number);
        return error is null && _entries.TryGetValue(name, out var entry) && entry.TryFind(number, out _) is null;
    }

    /// <summary>The versions that serve now, ascending, of one model; empty where there is none.</summary>
    public IReadOnlyList<long> ReadyVersions(string name)
        => _entries.TryGetValue(name, out var entry) ? [.. entry.Served.Select(served => served.Model.Version)] : [];

    /// <summary>The models that serve now, with their statistics: all of them (both empty), one model's, or one version's; or why there are none.</summary>
    public InferenceError? TryList(string name, string version, out IReadOnlyList<Model> models)
    {
        models = [];
        if (TryParseVersion(version, out var number) is { } invalid)
        {
            return invalid;
        }

        if (name.Length == 0)
        {
            models = [.. _entries.Values.OrderBy(known => known.Name, StringComparer.Ordinal).SelectMany(known => known.Served).Select(served => served.Model)];
            return null;
        }

        var serving = _entries.TryGetValue(name, out var entry) ? entry.Served : [];
        if (serving.Count == 0)
        {
            return InferenceError.InvalidArgument($"requested model '{name}' is not available");
        }

        models = [.. serving.Select(served => served.Model).Where(model => number == ModelEntry.Latest || model.Version == number)];
        return models.Count > 0 ? null : InferenceError.InvalidArgument($"requested model version {number} is not available for model '{name}'");
    }

    /// <summary>Every model in the repositories or loaded, by name and version; with <paramref name="readyOnly"/> those that serve.</summary>
    public IReadOnlyList<ModelIndexEntry> Index(bool readyOnly) => _lifecycle.Index(readyOnly);

    /// <summary>Serves a model that has no directory, of a backend that needs none; whatever the control mode. Null when it serves.</summary>
    public Task<InferenceError?> AddAsync(Protocol.ModelConfig config, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        return ChangeAsync(config.Name, new LoadOverrides(null, Bound) { Config = config.Clone() }, cancellation);
    }

    /// <summary>Loads or reloads a model for a client; null when it serves.</summary>
    public Task<InferenceError?> LoadAsync(string name, LoadOverrides? overrides, CancellationToken cancellation)
        => _options.Mode == ModelControlMode.Explicit ? ChangeAsync(name, overrides, cancellation) : Task.FromResult<InferenceError?>(NotExplicit);

    /// <summary>Unloads a model for a client; requests in flight finish. Null also for a model that is not there.</summary>
    /// <param name="name">The model.</param>
    /// <param name="unloadDependents">Whether the steps of an ensemble go too, those that nobody asked for by name and no other ensemble needs.</param>
    /// <param name="cancellation">Gives up waiting for another change of the same model.</param>
    public Task<InferenceError?> UnloadAsync(string name, bool unloadDependents, CancellationToken cancellation)
        => _options.Mode == ModelControlMode.Explicit ? RemoveAsync(name, unloadDependents, cancellation) : Task.FromResult<InferenceError?>(NotExplicit);

    /// <summary>Stops polling, unloads everything and waits for the requests in flight.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        foreach (var name in _entries.Keys)
        {
            await RemoveAsync(name, false, CancellationToken.None).ConfigureAwait(false);
        }

        await _lifecycle.AwaitRetiredAsync().ConfigureAwait(false);
        _memory.Dispose();
        _stopping.Dispose();
    }

    internal Task<InferenceError?> ChangeAsync(string name, LoadOverrides? overrides, CancellationToken cancellation)
        => _lifecycle.ChangeAsync(name, overrides, [], cancellation);

    internal Task<InferenceError?> RemoveAsync(string name, bool withSteps, CancellationToken cancellation)
        => _lifecycle.RemoveAsync(name, withSteps, cancellation);

    private static InferenceError NotExplicit => InferenceError.Unavailable("explicit model load / unload is not allowed if polling is enabled or the model control mode is none; start the host with --model-control-mode=explicit");

    private InferenceError? Acquire(ReadOnlySpan<char> name, long version, out ModelLease lease)
    {
        lease = default;
        return _byName.TryGetValue(name, out var entry)
            ? Acquire(entry, version, out lease)
            : InferenceError.NotFound($"Request for unknown model: '{name}' is not found");
    }

    private static InferenceError? Acquire(ModelEntry entry, long version, out ModelLease lease)
    {
        lease = default;
        while (true)
        {
            var error = entry.TryFind(version, out var served);
            if (error is not null)
            {
                return error;
            }

            // A version that was retired since it was found has a successor, or is no longer found.
            if (served!.TryAcquire())
            {
                lease = new ModelLease(served);
                return null;
            }
        }
    }

    private static InferenceError? TryParseVersion(ReadOnlySpan<char> version, out long number)
    {
        number = ModelEntry.Latest;
        if (version.Length == 0)
        {
            return null;
        }

        if (!long.TryParse(version, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number))
        {
            return InferenceError.InvalidArgument($"failed to get model version from specified version string '{version}', version should be an integral value > 0");
        }

        return number >= 0 ? null : InferenceError.InvalidArgument($"invalid model version specified '{version}', version should be an integral value > 0");
    }
}
