using Runtime.Models.Configuration;

namespace Runtime.Models;

/// <summary>When models are loaded and unloaded.</summary>
public enum ModelControlMode
{
    /// <summary>All at start, none later.</summary>
    None,

    /// <summary>The named ones at start, later those that a client asks for.</summary>
    Explicit,

    /// <summary>All at start, later whatever changes in the directories.</summary>
    Poll,
}

/// <summary>Where models are and which of them to load.</summary>
public sealed record RepositoryOptions
{
    /// <summary>Directories whose children are models.</summary>
    public required IReadOnlyList<string> Directories { get; init; }

    /// <summary>Directories that are one model each, of their own name.</summary>
    public IReadOnlyList<string> ModelDirectories { get; init; } = [];

    /// <summary>A directory with input schemas by model name, for models that have none of their own; null for none.</summary>
    public string? SchemaDirectory { get; init; }

    /// <summary>Told what is odd about a model that loads all the same.</summary>
    public Action<string>? Warn { get; init; }

    public ModelControlMode Mode { get; init; }

    /// <summary>The models to load at start in explicit mode; <c>*</c> is all.</summary>
    public IReadOnlyList<string> LoadAtStart { get; init; } = [];

    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Whether what a configuration leaves out is taken from the model's files.</summary>
    public bool AutoComplete { get; init; } = true;

    /// <summary>The limits of models whose configurations give none.</summary>
    public ModelLimits Limits { get; init; } = ModelLimits.Default;

    /// <summary>Told of every version's complete configuration before it serves; a <see cref="ModelConfigException"/> of it is why the model does not load.</summary>
    public Action<ModelConfig>? Admit { get; init; }

    /// <summary>Where models that want it keep answers; null for nowhere.</summary>
    public ResponseCache? Cache { get; init; }

    /// <summary>Whether models keep quantiles of their durations.</summary>
    public bool KeepSummaries { get; init; }
}

/// <summary>One line of the repository's index; <see cref="Version"/> and <see cref="State"/> are empty for a model that was never loaded.</summary>
public sealed record ModelIndexEntry(string Name, string Version, string State, string Reason);

/// <summary>What a load request brings along: a configuration as JSON, and files by their path inside the model's directory.</summary>
public sealed record LoadOverrides(string? ConfigJson, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files)
{
    /// <summary>In place of the JSON, the configuration of a model that the program brings along; it is filled in where it stands.</summary>
    internal Protocol.ModelConfig? Config { get; init; }
}

/// <summary>The states of a version, as the index spells them.</summary>
public static class ModelState
{
    public const string Loading = "LOADING";
    public const string Ready = "READY";
    public const string Unloading = "UNLOADING";
    public const string Unavailable = "UNAVAILABLE";
}

/// <summary>Something that happened to a model, for the log.</summary>
public sealed record ModelEvent(string Name, long Version, string State, string Reason);
