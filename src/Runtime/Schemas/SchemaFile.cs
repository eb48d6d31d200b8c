using System.Text;
using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>One assignment of a schema's file, or one member of its JSON object.</summary>
internal sealed record SchemaEntry(string Name, SourcePlace Place, Literal Value);

/// <summary>What a reader found in a schema's file: the entries that have a meaning, and warnings about the others.</summary>
internal sealed class SchemaFile(string name)
{
    public const string Inputs = "INPUT_SCHEMA";
    public const string BatchSize = "BATCH_SIZE";
    public const string BatchWindow = "BATCH_WINDOW";
    public const string IsStreamingOutput = "IS_STREAMING_OUTPUT";

    private static readonly string[] KnownNames = [Inputs, BatchSize, BatchWindow, IsStreamingOutput];

    // The first is how Inferless spells it.
    private static readonly string[] SilentNames = ["OPENAI_CLIENT_COMPATIBLITY", "OPENAI_CLIENT_COMPATIBILITY"];

    private readonly Dictionary<string, SchemaEntry> _entries = [];
    private readonly List<string> _warnings = [];

    public string Name { get; } = name;

    public IReadOnlyList<string> Warnings => _warnings;

    public static bool IsKnown(string name) => KnownNames.Contains(name);

    public SchemaEntry? Find(string name) => _entries.GetValueOrDefault(name);

    /// <summary>Adds an entry; the last of equal names counts.</summary>
    public void Add(SchemaEntry entry)
    {
        if (_entries.TryGetValue(entry.Name, out var earlier))
        {
            Warn(entry.Place, $"{entry.Name} was already set in line {earlier.Place.Line}; the later value counts");
        }

        _entries[entry.Name] = entry;
    }

    /// <summary>Notes a name that has no meaning here.</summary>
    public void Ignore(string entry, SourcePlace place)
    {
        if (!SilentNames.Contains(entry))
        {
            Warn(place, $"'{Literal.Short(entry)}' is not known and is ignored{Suggestion.For(entry, KnownNames)}");
        }
    }

    public void Warn(SourcePlace place, string message) => _warnings.Add(Text(place, message));

    /// <summary>A message behind file, line and column.</summary>
    public string Text(SourcePlace place, string message) => $"{Name}:{place.Line}:{place.Column}: {message}";

    /// <summary>Decodes a file's bytes.</summary>
    /// <exception cref="ModelConfigException">They are not UTF-8, or more than a schema may have.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes, string fileName)
    {
        if (bytes.Length > InputSchemaFile.MostBytes)
        {
            throw new ModelConfigException($"{fileName}: a schema has at most {InputSchemaFile.MostBytes} bytes, this file has {bytes.Length}");
        }

        bytes = bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        try
        {
            return TextStrings.Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new ModelConfigException($"{fileName}: the file is not UTF-8 text");
        }
    }
}
