using System.Text.Json;
using Runtime.Host.Nvcf;

namespace Runtime.Host.NvcfTest;

/// <summary>What the platform makes of a progress file: what it tells whoever polls, or why it ignores the file.</summary>
/// <param name="Percent">The value of <c>NVCF-PERCENT-COMPLETE</c>.</param>
/// <param name="Partial">The body of the 202: the partial response as JSON.</param>
/// <param name="Fault">Why the update is ignored; null for a good one.</param>
internal sealed record ProgressUpdate(int Percent, string Partial, string? Fault)
{
    /// <summary>Whether the file was no JSON at all, as one is that is being written.</summary>
    public bool IsTorn { get; init; }

    /// <summary>Reads a file by the sidecar's rules, which are stricter than JSON: a percentage of <c>50.5</c> or <c>"50"</c> loses the update.</summary>
    public static ProgressUpdate Read(ReadOnlyMemory<byte> file, string requestId)
    {
        if (file.Length >= ProgressFile.MaxByteSize)
        {
            return Bad($"the file has {file.Length} bytes, 250 KB is the limit");
        }

        try
        {
            using var document = JsonDocument.Parse(file);
            return Read(document.RootElement, requestId);
        }
        catch (JsonException exception)
        {
            return Bad($"the file is no JSON: {exception.Message}") with { IsTorn = true };
        }
    }

    private static ProgressUpdate Read(JsonElement root, string requestId)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return Bad("the file is no JSON object");
        }

        if (!root.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.String || id.GetString() != requestId)
        {
            return Bad("'id' is not the request's NVCF-REQID");
        }

        if (!root.TryGetProperty("progress", out var progress) || progress.ValueKind != JsonValueKind.Number || !progress.TryGetUInt32(out var percent))
        {
            return Bad($"'progress' must be a whole number, got {Shown(progress)}");
        }

        var partial = root.TryGetProperty("partialResponse", out var given) ? given : default;
        return percent > 100 ? Bad($"'progress' must be from 0 to 100, got {percent}")
            : partial.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? new ProgressUpdate((int)percent, "", null)
            : partial.ValueKind == JsonValueKind.Object ? new ProgressUpdate((int)percent, partial.GetRawText(), null)
            : Bad($"'partialResponse' must be an object or null, got {Shown(partial)}");
    }

    private static string Shown(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Undefined => "nothing",
        JsonValueKind.Array or JsonValueKind.Object => $"an {element.ValueKind.ToString().ToLowerInvariant()}",
        _ => element.GetRawText() is { Length: <= 40 } text ? text : $"a {element.ValueKind.ToString().ToLowerInvariant()}",
    };

    private static ProgressUpdate Bad(string fault) => new(0, "", fault);
}
