using System.Collections.Concurrent;
using Runtime.Inference;
using Runtime.Models.Configuration;

namespace Runtime.Models;

/// <summary>
/// How models come and go: loads, replaces and retires them, the changes of one model one after the other. What is new serves
/// before it lets go of what served. Thread-safe.
/// </summary>
internal sealed class ModelLifecycle(ConcurrentDictionary<string, ModelEntry> entries, RepositoryOptions options, ModelLoader loader, MemoryReclaim memory)
{
    private readonly Lock _gate = new();
    private readonly List<Task> _retiring = [];

    public event Action<ModelEvent>? Changed;

    public event Action<string, InferenceError>? FailedForGood;

    /// <summary>Every model in the repositories or loaded, by name and version; with <paramref name="readyOnly"/> those that serve.</summary>
    public IReadOnlyList<ModelIndexEntry> Index(bool readyOnly)
    {
        lock (_gate)
        {
            var present = ModelDirectory.Find(options).Select(group => group.Key);
            var serving = entries.Values.Where(entry => entry.Served.Count > 0).Select(entry => entry.Name);
            var lines = present.Union(serving)
                .Order(StringComparer.Ordinal)
                .SelectMany(name => entries.TryGetValue(name, out var entry) ? entry.Index() : [new ModelIndexEntry(name, "", "", "")]);
            return [.. lines.Where(line => !readyOnly || line.State == ModelState.Ready)];
        }
    }

    /// <summary>Takes a model out of service, and every ensemble that it is a step of; with its steps, those go that nothing else needs.</summary>
    public async Task<InferenceError?> RemoveAsync(string name, bool withSteps, CancellationToken cancellation)
    {
        if (!entries.TryGetValue(name, out var entry))
        {
            return null;
        }

        IReadOnlyList<string> steps;
        await entry.Changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                steps = entry.Steps;
                Retire(entry, entry.Clear());
            }
        }
        finally
        {
            entry.Changing.Release();
        }

        foreach (var ensemble in entries.Values.Where(other => other.Steps.Contains(name)))
        {
            await RemoveAsync(ensemble.Name, false, cancellation).ConfigureAwait(false);
        }

        foreach (var step in withSteps ? steps : [])
        {
            var isNeeded = entries.Values.Any(other => other.Steps.Contains(step));
            if (!isNeeded && entries.TryGetValue(step, out var used) && !used.IsWanted)
            {
                await RemoveAsync(step, true, cancellation).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <summary>Loads a model, or loads it again where something changed; null when it serves.</summary>
    /// <param name="name">The model to load.</param>
    /// <param name="overrides">What a client brought along.</param>
    /// <param name="ensembles">The ensembles that this is a step of, outermost first; empty when it was asked for by name.</param>
    /// <param name="cancellation">Gives up waiting for another change of the same model.</param>
    public async Task<InferenceError?> ChangeAsync(string name, LoadOverrides? overrides, IReadOnlyList<string> ensembles, CancellationToken cancellation)
    {
        var directory = "";
        if (overrides is not { Files.Count: > 0 } && ModelDirectory.TryLocate(options, name, out directory) is { } missing)
        {
            return missing;
        }

        if (overrides is { Files.Count: > 0, ConfigJson: null, Config: null })
        {
            return InferenceError.InvalidArgument($"failed to load '{name}': file overrides need a 'config' parameter beside them, since no file of the repository is used then");
        }

        var entry = entries.GetOrAdd(name, static key => new ModelEntry(key));
        await entry.Changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            entry.IsWanted |= ensembles.Count == 0;
            if (ensembles.Count > 0 && entry.Served.Count > 0)
            {
                return null; // an ensemble needs it to serve, no more
            }

            var fingerprint = directory.Length > 0 ? ModelDirectory.Fingerprint(directory) : (long?)null;
            if (overrides is null && entry.Served.Count > 0 && entry.Fingerprint == fingerprint && !entry.HasFailed)
            {
                return null; // nothing has changed since; what a client overrode stays, as in Triton
            }

            var error = await LoadAsync(entry, directory, overrides, ensembles).ConfigureAwait(false);
            if (error is null)
            {
                entry.Fingerprint = fingerprint; // a failed load is tried again, also while what served before goes on
            }

            return error;
        }
        finally
        {
            entry.Changing.Release();
        }
    }

    private async Task<InferenceError?> LoadAsync(ModelEntry entry, string directory, LoadOverrides? overrides, IReadOnlyList<string> ensembles)
    {
        LoadResult result;
        try
        {
            using var source = loader.Open(entry.Name, directory, overrides);
            foreach (var step in source.Steps)
            {
                await LoadStepAsync(entry, step, ensembles).ConfigureAwait(false);
            }

            result = await Task.Run(() => loader.Load(source)).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            var reason = loader.Reason(entry.Name, exception);
            lock (_gate)
            {
                entry.Refuse(reason, lacksVersions: exception is InferenceException);
            }

            TellIfForGood(entry.Name, ModelLoader.ForGood(exception));
            Changed?.Invoke(new ModelEvent(entry.Name, 0, ModelState.Unavailable, reason));
            var code = (exception as InferenceException)?.Error.Code ?? ErrorCode.InvalidArgument;
            return new InferenceError(code, $"failed to load '{entry.Name}': {reason}");
        }

        foreach (var served in result.Served)
        {
            served.Model.FailedForGood += error => FailedForGood?.Invoke(entry.Name, error);
        }

        lock (_gate)
        {
            Retire(entry, entry.Adopt(result));
        }

        memory.Request();
        TellIfForGood(entry.Name, result.ForGood);
        return Report(entry.Name, result);
    }

    private void TellIfForGood(string name, InferenceError? error)
    {
        if (error is not null)
        {
            FailedForGood?.Invoke(name, error);
        }
    }

    private async Task LoadStepAsync(ModelEntry ensemble, string step, IReadOnlyList<string> ensembles)
    {
        lock (_gate)
        {
            Await(ensemble, step);
        }

        try
        {
            // Why a step failed is its own line in the index; the ensemble says which step it lacks.
            await ChangeAsync(step, null, [.. ensembles, ensemble.Name], CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                ensemble.AwaitedStep = null;
            }
        }
    }

    /// <summary>Notes what a load waits for, so that no loads wait for each other: an ensemble that contains itself may be loaded from several of its steps at once.</summary>
    private void Await(ModelEntry ensemble, string step)
    {
        var path = new List<string> { ensemble.Name, step };
        while (path[^1] != ensemble.Name && entries.TryGetValue(path[^1], out var next) && next.AwaitedStep is { } further)
        {
            path.Add(further);
        }

        if (path[^1] == ensemble.Name)
        {
            throw new ModelConfigException($"ensemble {ensemble.Name} contains itself: {string.Join(" > ", path)}");
        }

        ensemble.AwaitedStep = step;
    }

    private InferenceError? Report(string name, LoadResult result)
    {
        foreach (var served in result.Served)
        {
            Changed?.Invoke(new ModelEvent(name, served.Model.Version, ModelState.Ready, served.Model.Placement));
        }

        foreach (var (version, reason) in result.Failed)
        {
            Changed?.Invoke(new ModelEvent(name, version, ModelState.Unavailable, reason));
        }

        var reasons = result.Failed.Select(failure => $"version {failure.Key} is at UNAVAILABLE state: {failure.Value};");
        var code = result.ForGood is null ? ErrorCode.InvalidArgument : ErrorCode.Internal;
        return result.Failed.Count == 0 ? null : new InferenceError(code, $"load failed for model '{name}': {string.Join(' ', reasons)}");
    }

    /// <summary>Waits for the requests in flight of every version that was taken out of service.</summary>
    public async Task AwaitRetiredAsync()
    {
        Task[] retiring;
        lock (_gate)
        {
            retiring = [.. _retiring];
        }

        await Task.WhenAll(retiring).ConfigureAwait(false);
    }

    private void Retire(ModelEntry entry, IReadOnlyList<ServedVersion> retired)
    {
        options.Cache?.BeginEpoch();
        _retiring.RemoveAll(static task => task.IsCompleted);
        foreach (var served in retired)
        {
            _retiring.Add(RetireAsync(entry, served));
        }
    }

    private async Task RetireAsync(ModelEntry entry, ServedVersion served)
    {
        await Task.Yield(); // out of the lock
        await served.RetireAsync().ConfigureAwait(false);
        memory.Request();
        lock (_gate)
        {
            entry.Unloaded(served.Model.Version);
        }

        Changed?.Invoke(new ModelEvent(entry.Name, served.Model.Version, ModelState.Unavailable, "unloaded"));
    }
}
