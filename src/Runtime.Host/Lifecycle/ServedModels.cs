using Runtime.Models;

namespace Runtime.Host.Lifecycle;

/// <summary>The life of the repository's models as the process sees it.</summary>
/// <param name="StartAsync">Loads what the control mode asks for; a model that fails is an entry of the index with a reason, no exception.</param>
/// <param name="Index">Every model with its state.</param>
/// <param name="StopAsync">Unloads everything, once no request is left.</param>
internal sealed record ServedModels(Func<CancellationToken, Task> StartAsync, Func<IReadOnlyList<ModelIndexEntry>> Index, Func<ValueTask> StopAsync);
