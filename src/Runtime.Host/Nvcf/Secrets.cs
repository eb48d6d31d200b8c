using System.Text.Json;

namespace Runtime.Host.Nvcf;

/// <summary>The secrets that the platform mounts as a JSON object in a file, read again when the file has changed. Thread-safe.</summary>
/// <remarks>The platform replaces the file while the process runs; each use asks the open file for its age, so that links on the way to it do not matter.</remarks>
internal sealed class Secrets(string path)
{
    private readonly Lock _gate = new();
    private IReadOnlyDictionary<string, string> _values = new Dictionary<string, string>();
    private (DateTime Written, long Length)? _seen;

    /// <summary>The secret's present value, its JSON where it is no string; null where there is none.</summary>
    public string? Find(string name) => Read().GetValueOrDefault(name);

    private IReadOnlyDictionary<string, string> Read()
    {
        lock (_gate)
        {
            try
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var state = (File.GetLastWriteTimeUtc(file), RandomAccess.GetLength(file));
                if (state != _seen)
                {
                    using var stream = new FileStream(file, FileAccess.Read);
                    _values = Parse(stream);
                    _seen = state;
                }
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                _values = new Dictionary<string, string>();
                _seen = null;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
            {
                // Half written, or away for a moment: what was read last holds until the next use.
            }

            return _values;
        }
    }

    private static Dictionary<string, string> Parse(Stream stream)
    {
        using var document = JsonDocument.Parse(stream);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("the secrets must be one JSON object");
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in document.RootElement.EnumerateObject())
        {
            values[member.Name] = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText();
        }

        return values;
    }
}
