using System.IO.Compression;
using System.Text.Json;

namespace Runtime.Host.NvcfTest;

/// <summary>What the platform makes of a function's answer for its client.</summary>
/// <param name="Status">The client's status.</param>
/// <param name="Text">What it gets, in words.</param>
/// <param name="Fault">Why the platform cannot send it; null where it can.</param>
internal sealed record ClientAnswer(int Status, string Text, string? Fault = null)
{
    /// <summary>An error becomes a problem document, what is too large or has files a redirect to an archive, and the rest stays as it is.</summary>
    public static ClientAnswer Of(Answer answer, RequestDirectories directories)
        => answer.Invocation.IsStream ? new ClientAnswer(answer.Status, "the stream")
            : answer.Status >= 400 ? new ClientAnswer(answer.Status, $"a problem with the detail \"{ErrorOf(answer.Body) ?? "Inference error"}\"")
            : answer.Body.Length > answer.Invocation.MaxResponseByteSize || answer.Artifacts.Count > 0 ? Archive(answer, directories)
            : new ClientAnswer(answer.Status, "the answer as it is");

    /// <summary>The text under <c>error</c> at the top of a body; null where there is none.</summary>
    public static string? ErrorOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String
                ? error.GetString()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Packs the archive that the client would be redirected to.</summary>
    private static ClientAnswer Archive(Answer answer, RequestDirectories directories)
    {
        try
        {
            using var file = new FileStream(System.IO.Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
            using (var archive = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
            {
                using (var entry = archive.CreateEntry($"{answer.RequestId}.response").Open())
                {
                    entry.Write(answer.Body);
                }

                foreach (var artifact in answer.Artifacts)
                {
                    archive.CreateEntryFromFile(System.IO.Path.Combine(directories.Output, artifact), artifact, CompressionLevel.Fastest);
                }
            }

            return new ClientAnswer(302, $"a redirect to an archive of {file.Length} bytes: {string.Join(", ", answer.Artifacts.Prepend("the body").Take(5))}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new ClientAnswer(500, "", exception.Message);
        }
    }
}
