using Runtime.Models;

namespace Runtime.Host.Lifecycle;

/// <summary>The life of the repository's models as the process sees it.</summary>
/// <param name="StartAsync">Loads what the control mode asks for, and returns the models that failed, with the reasons.</param>
/// <param name="Index">Every model with its state.</param>
/// <param name="StopAsync">Unloads everything, once no request is left; called also when nothing was started.</param>
internal sealed record ServedModels(Func<CancellationToken, Task<IReadOnlyList<ModelEvent>>> StartAsync, Func<IReadOnlyList<ModelIndexEntry>> Index, Func<ValueTask> StopAsync);
