using System.Globalization;

namespace Runtime.Torch;

/// <summary>A name by Triton's convention, <c>NAME__INDEX</c>; for an output inside a list or dictionary also <c>NAME__INDEX__INNER</c>.</summary>
internal readonly record struct IndexedName(string Prefix, int Index, int Inner)
{
    private const string Separator = "__";

    /// <summary>Null for a name without an index. <see cref="Inner"/> is -1 where there is none.</summary>
    public static IndexedName? From(string name)
    {
        if (TrySplit(name) is not var (before, last))
        {
            return null;
        }

        return TrySplit(before) is var (prefix, index) ? new IndexedName(prefix, index, last) : new IndexedName(before, last, -1);
    }

    private static (string Before, int Number)? TrySplit(string name)
    {
        var at = name.LastIndexOf(Separator, StringComparison.Ordinal);
        return at > 0 && int.TryParse(name.AsSpan(at + Separator.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (name[..at], number)
            : null;
    }
}
