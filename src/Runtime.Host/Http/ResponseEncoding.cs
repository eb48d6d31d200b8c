using System.Globalization;
using System.IO.Compression;

namespace Runtime.Host.Http;

/// <summary>The compressions of an answer's body.</summary>
internal enum ContentCoding
{
    Identity,
    Gzip,
    Deflate,
}

/// <summary>Chooses how an answer is compressed, and compresses it.</summary>
internal static class ResponseEncoding
{
    /// <summary>The coding of highest quality, of equal ones the first that is named; identity where none is asked for by name or the header is not understood.</summary>
    public static ContentCoding Choose(string accept)
    {
        var best = ContentCoding.Identity;
        var bestQuality = 0d;
        foreach (var range in accept.AsSpan().Split(','))
        {
            var entry = accept.AsSpan(range).Trim();
            var end = entry.IndexOf(';');
            var name = (end < 0 ? entry : entry[..end]).Trim();
            var quality = end < 0 ? 1 : Quality(entry[(end + 1)..]);
            if (quality > bestQuality && TryParse(name, out var coding))
            {
                (best, bestQuality) = (coding, quality);
            }
        }

        return best;
    }

    /// <summary>The name in <c>Content-Encoding</c>.</summary>
    public static string Name(this ContentCoding coding) => coding == ContentCoding.Gzip ? "gzip" : "deflate";

    /// <summary>A stream that compresses into another, which stays open.</summary>
    public static Stream Compress(this ContentCoding coding, Stream target) => coding == ContentCoding.Gzip
        ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true);

    private static bool TryParse(ReadOnlySpan<char> name, out ContentCoding coding)
    {
        coding = name.Equals("gzip", StringComparison.OrdinalIgnoreCase) ? ContentCoding.Gzip
            : name.Equals("deflate", StringComparison.OrdinalIgnoreCase) ? ContentCoding.Deflate
            : ContentCoding.Identity;
        return coding != ContentCoding.Identity || name.Equals("identity", StringComparison.OrdinalIgnoreCase);
    }

    private static double Quality(ReadOnlySpan<char> parameter)
    {
        var text = parameter.Trim();
        return text.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(text[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality) && quality <= 1 ? quality : 0;
    }
}
