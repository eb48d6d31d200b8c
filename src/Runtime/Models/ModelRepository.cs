using System.Diagnostics.CodeAnalysis;
using Runtime.Inference;

namespace Runtime.Models;

/// <summary>Holds a version of a model against unloading while a request uses it.</summary>
public readonly struct ModelLease : IDisposable
{
    internal ModelLease(Model model, Action<Model>? release) => throw new NotSupportedException();

    public Model Model => throw new NotSupportedException();

    public void Dispose() => throw new NotSupportedException();
}

/// <summary>One line of the repository's index; <see cref="Version"/> and <see cref="State"/> are empty for a model that was never loaded.</summary>
public sealed record ModelIndexEntry(string Name, string Version, string State, string Reason);

/// <summary>What a load request brings along: a configuration as JSON, and files by their path inside the model's directory.</summary>
public sealed record LoadOverrides(string? ConfigJson, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files);

/// <summary>The models of the process: what is in the repositories, what is loaded, and the only way to a <see cref="Model"/>.</summary>
public sealed class ModelRepository : IAsyncDisposable
{
    /// <summary>Whether every model that should be loaded is.</summary>
    public bool IsReady => throw new NotSupportedException();

    /// <summary>A lease on a version (empty: the latest), or why there is none.</summary>
    public InferenceError? TryAcquire(ReadOnlySpan<char> name, ReadOnlySpan<char> version, out ModelLease lease) => throw new NotSupportedException();

    /// <summary>Whether that version (empty: the latest) serves.</summary>
    public bool IsModelReady(string name, string version, [NotNullWhen(false)] out InferenceError? error) => throw new NotSupportedException();

    /// <summary>The versions that serve now, ascending, of one model; empty where there is none.</summary>
    public IReadOnlyList<long> ReadyVersions(string name) => throw new NotSupportedException();

    /// <summary>The models that serve now, with their statistics: all of them, one model's, or one version's; or why there are none.</summary>
    public InferenceError? TryList(string name, string version, out IReadOnlyList<Model> models) => throw new NotSupportedException();

    public IReadOnlyList<ModelIndexEntry> Index(bool readyOnly) => throw new NotSupportedException();

    /// <summary>Loads or reloads a model; null when it serves.</summary>
    public Task<InferenceError?> LoadAsync(string name, LoadOverrides? overrides, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Unloads a model; requests in flight finish. Null also for a model that is not there.</summary>
    public Task<InferenceError?> UnloadAsync(string name, bool unloadDependents, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
