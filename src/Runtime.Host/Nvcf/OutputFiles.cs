namespace Runtime.Host.Nvcf;

/// <summary>How files of an output directory are written and removed.</summary>
internal static class OutputFiles
{
    /// <summary>Creates or replaces a small file in one write, and its directory where that is missing.</summary>
    public static void WriteWhole(string path, ReadOnlySpan<byte> content)
    {
        using var file = OpenWithDirectory(path);
        RandomAccess.Write(file, content, 0);
    }

    /// <summary>Deletes a file or link, if it is there and can be deleted.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The directory went before its files, or belongs to somebody else: the platform clears it.
        }
    }

    /// <summary>Every file and link below the directory, not below links in it.</summary>
    public static IReadOnlyList<string> Find(string directory, Func<string, bool> isWanted)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = 0 };
        try
        {
            var found = new System.IO.Enumeration.FileSystemEnumerable<string>(directory, static (ref entry) => entry.ToFullPath(), options)
            {
                ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory || IsLink(entry.Attributes),
                ShouldRecursePredicate = static (ref entry) => !IsLink(entry.Attributes),
            };
            return [.. found.Where(path => isWanted(Path.GetFileName(path)))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsLink(FileAttributes attributes) => (attributes & FileAttributes.ReparsePoint) != 0;

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenWithDirectory(string path)
    {
        try
        {
            return Open(path);
        }
        catch (DirectoryNotFoundException)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return Open(path);
        }
    }

    // Sharing everything spares the lock that .NET otherwise takes on the file.
    private static Microsoft.Win32.SafeHandles.SafeFileHandle Open(string path)
        => File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}
