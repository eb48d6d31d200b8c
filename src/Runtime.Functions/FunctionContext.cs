using Microsoft.Extensions.Logging;

namespace Runtime.Functions;

/// <summary>What surrounds a function for as long as its model is loaded. Thread-safe.</summary>
public sealed class FunctionContext
{
    internal FunctionContext()
    {
    }

    public required string ModelName { get; init; }

    public required long ModelVersion { get; init; }

    /// <summary>The model's directory, above those of its versions; empty for a function that was bound in code.</summary>
    public required string ModelDirectory { get; init; }

    /// <summary>The directory that the function was loaded from; empty for one that was bound in code.</summary>
    public required string VersionDirectory { get; init; }

    /// <summary>The parameters of the model's configuration.</summary>
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    public required Secrets Secrets { get; init; }

    /// <summary>The process's environment as it was when the model was loaded.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Writes to the host's log, under the model's name.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The other models of the host.</summary>
    public required ModelCalls Models { get; init; }
}
