using System.Text;

namespace Runtime.Host.Nvcf;

/// <summary>Names that clients or functions give to files: one segment of a path, never a way out of a directory.</summary>
internal static class PathSegment
{
    private const int LongestName = 255;
    private const int LongestShown = 64;

    /// <summary>What is wrong with the name, or null.</summary>
    public static string? Fault(string name) =>
        name.Length == 0 ? "is empty"
        : name is "." or ".." || name.AsSpan().IndexOfAny('/', '\\', '\0') >= 0 ? "is not a single path segment"
        : name.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0 ? "has control characters"
        : Encoding.UTF8.GetByteCount(name) > LongestName ? $"is longer than {LongestName} bytes"
        : null;

    /// <summary>The name as an error message shows it: printable and not long.</summary>
    public static string Show(string name)
    {
        var shown = name.Length > LongestShown ? name[..LongestShown] + "…" : name;
        return new string([.. shown.Select(character => char.IsControl(character) ? '?' : character)]);
    }
}
