namespace Runtime.Host.NvcfTest;

/// <summary>What lies in a directory that the function has too, and what has changed in it.</summary>
internal static class MountedFiles
{
    /// <summary>Size and time of every file by its path below the directory; nothing where there is no directory.</summary>
    public static IReadOnlyDictionary<string, (long Length, DateTime Written)> Stamp(string? directory)
    {
        if (directory is null)
        {
            return new Dictionary<string, (long, DateTime)>();
        }

        try
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = true };
            return Directory.GetFiles(directory, "*", options).ToDictionary(path => Path.GetRelativePath(directory, path), StampOf, StringComparer.Ordinal);
        }
        catch (DirectoryNotFoundException)
        {
            return new Dictionary<string, (long, DateTime)>();
        }
    }

    /// <summary>The names that came, went or changed between two stamps.</summary>
    public static IReadOnlyList<string> Changes(IReadOnlyDictionary<string, (long Length, DateTime Written)> before, IReadOnlyDictionary<string, (long Length, DateTime Written)> after)
        => [.. before.Keys.Union(after.Keys).Where(name => !before.TryGetValue(name, out var was) || !after.TryGetValue(name, out var now) || was != now)];

    private static (long Length, DateTime Written) StampOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
    }
}
