namespace Runtime.Schemas;

/// <summary>A schema's file before its rules were checked.</summary>
internal sealed class SchemaDraft(SchemaFile file)
{
    public SchemaFile File { get; } = file;

    public SchemaEntry? Schema { get; } = file.Find(SchemaFile.Inputs);

    public SchemaEntry? BatchSize { get; } = file.Find(SchemaFile.BatchSize);

    public SchemaEntry? BatchWindow { get; } = file.Find(SchemaFile.BatchWindow);

    public SchemaEntry? IsStreamingOutput { get; } = file.Find(SchemaFile.IsStreamingOutput);

    /// <summary>The inputs; none where the schema is no dictionary.</summary>
    public IReadOnlyList<InputDraft> Inputs { get; } =
        [.. (file.Find(SchemaFile.Inputs)?.Value as MapLiteral)?.Entries.Select(entry => new InputDraft(file, entry.Key, entry.Value)) ?? []];
}

/// <summary>One input before its rules were checked.</summary>
internal sealed class InputDraft(SchemaFile file, Literal key, Literal body)
{
    public SchemaFile File { get; } = file;

    public Literal Key { get; } = key;

    public Literal Body { get; } = body;

    public MapLiteral? Fields { get; } = body as MapLiteral;

    /// <summary>The name; empty where the key is none.</summary>
    public string Name { get; } = (key as TextLiteral)?.Value ?? "";

    public Literal? Datatype => Find("datatype");

    public Literal? Shape => Find("shape");

    public Literal? Required => Find("required");

    public Literal? Example => Find("example");

    /// <summary>A field's value, the last of equal ones as in Python; null where it is missing.</summary>
    private Literal? Find(string field) => Fields?.Entries.LastOrDefault(entry => entry.Key is TextLiteral { Value: var name } && name == field).Value;
}
