using Runtime.Host.Nvcf;

namespace Runtime.Host.NvcfTest;

/// <summary>The two directories that the platform makes for one request, under the names that this process and the function have for them.</summary>
internal sealed class RequestDirectories
{
    private const string InputFolder = "inputAssets";
    private const string OutputFolder = "response";

    private RequestDirectories(string root, string containerRoot, string requestId)
    {
        Input = Path.Combine(root, InputFolder, requestId);
        Output = Path.Combine(root, OutputFolder, requestId);
        ContainerInput = $"{containerRoot.TrimEnd('/')}/{InputFolder}/{requestId}";
        ContainerOutput = $"{containerRoot.TrimEnd('/')}/{OutputFolder}/{requestId}";
    }

    public string Input { get; }

    public string Output { get; }

    public string ContainerInput { get; }

    public string ContainerOutput { get; }

    /// <summary>Makes both, open to whatever user the function runs as, as the platform does.</summary>
    public static RequestDirectories Create(string root, string containerRoot, string requestId)
    {
        var directories = new RequestDirectories(root, containerRoot, requestId);
        foreach (var directory in new[] { Path.Combine(root, InputFolder), Path.Combine(root, OutputFolder), directories.Input, directories.Output })
        {
            Open(Directory.CreateDirectory(directory).FullName, UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
        }

        return directories;
    }

    public void AddAsset(string id, ReadOnlySpan<byte> content) => Write(Path.Combine(Input, id), content);

    /// <summary>Writes a file that the function may read but is not given, beside the request's directory.</summary>
    public void AddForeign(string name, ReadOnlySpan<byte> content) => Write(Path.Combine(Input, "..", name), content);

    /// <summary>What the platform would take along now: name, size and time of every file but the progress.</summary>
    public IReadOnlyDictionary<string, (long Length, DateTime Written)> Scan()
        => MountedFiles.Stamp(Output).Where(file => Path.GetFileName(file.Key) != ProgressFile.Name).ToDictionary(StringComparer.Ordinal);

    public void Delete()
    {
        foreach (var directory in new[] { Input, Output })
        {
            try
            {
                Directory.Delete(directory, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Gone, or the function's own user owns what is in it: whoever gave the directory clears it.
            }
        }
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        File.WriteAllBytes(path, content);
        Open(path, UnixFileMode.None);
    }

    private static void Open(string path, UnixFileMode more)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead | more);
        }
    }
}
