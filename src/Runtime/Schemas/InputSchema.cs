namespace Runtime.Schemas;

/// <summary>What a model's callers send, as its <c>input_schema.py</c> or <c>.json</c> says it.</summary>
public sealed record InputSchema
{
    /// <summary>The file's name, as messages show it.</summary>
    public required string Source { get; init; }

    /// <summary>The inputs in the file's order; at least one, their names unique.</summary>
    public required IReadOnlyList<SchemaInput> Inputs { get; init; }

    /// <summary>How many requests one call may take; 0 where the file does not say.</summary>
    public int BatchSize { get; init; }

    /// <summary>How long a batch may wait to fill; 0 where the file does not say.</summary>
    public int BatchWindowMilliseconds { get; init; }

    /// <summary>Whether the model answers with several responses.</summary>
    public bool IsStreamingOutput { get; init; }

    /// <summary>What in the file has no effect, and examples that do not fit; each with file, line and column.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
