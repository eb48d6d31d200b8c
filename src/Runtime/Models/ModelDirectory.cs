using System.Globalization;
using Runtime.Inference;

namespace Runtime.Models;

/// <summary>The directories of a repository on disk: which models there are, which versions they have, and whether anything changed.</summary>
internal static class ModelDirectory
{
    /// <summary>Model names and where they are; a name that two repositories have is there once for each.</summary>
    public static ILookup<string, string> Find(RepositoryOptions options) => options.Directories
        .SelectMany(repository => Directory.EnumerateDirectories(repository))
        .Concat(options.ModelDirectories)
        .Where(directory => !Path.GetFileName(directory).StartsWith('.'))
        .ToLookup(directory => Path.GetFileName(directory)!);

    /// <summary>The directory of one model, or why there is none to load from.</summary>
    public static InferenceError? TryLocate(RepositoryOptions options, string name, out string directory)
    {
        directory = "";
        if (!IsSegment(name))
        {
            return InferenceError.InvalidArgument($"failed to load '{name}': a model's name must be a single path segment");
        }

        var found = options.Directories.Select(repository => Path.Combine(repository, name))
            .Concat(options.ModelDirectories.Where(model => Path.GetFileName(model) == name))
            .Where(Directory.Exists).ToArray();
        if (found.Length != 1)
        {
            return found.Length == 0
                ? InferenceError.NotFound($"failed to load '{name}', failed to poll from model repository: there is no directory '{name}' in {string.Join(", ", options.Directories)}")
                : InferenceError.InvalidArgument($"failed to load '{name}': it is in more than one model repository: {string.Join(", ", found)}");
        }

        directory = found[0];
        return null;
    }

    /// <summary>The numbered children, ascending.</summary>
    public static IReadOnlyList<long> Versions(string modelDirectory)
    {
        var versions = new List<long>();
        foreach (var directory in Directory.EnumerateDirectories(modelDirectory))
        {
            var name = Path.GetFileName(directory);
            if (!name.StartsWith('0') && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            {
                versions.Add(version);
            }
        }

        versions.Sort();
        return versions;
    }

    /// <summary>A number that changes when a file below the directory comes, goes or is written to.</summary>
    public static long Fingerprint(string modelDirectory)
    {
        var hash = new HashCode();
        var files = new DirectoryInfo(modelDirectory).EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal);
        foreach (var file in files)
        {
            hash.Add(file.FullName);
            hash.Add(file.Length);
            hash.Add(file.LastWriteTimeUtc.Ticks);
        }

        return hash.ToHashCode();
    }

    /// <summary>Writes files that a client sent into a directory of their own, which goes when the result is disposed.</summary>
    /// <exception cref="InferenceException">A path leads out of the directory, or cannot be written there.</exception>
    public static TemporaryDirectory Materialize(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        var directory = new TemporaryDirectory();
        try
        {
            foreach (var (path, content) in files)
            {
                if (path.Length == 0 || Path.IsPathRooted(path) || !path.Split('/').All(IsSegment))
                {
                    throw new InferenceException(ErrorCode.InvalidArgument, $"file override 'file:{path}' must be a relative path inside the model's directory, such as 'file:1/model.onnx'");
                }

                Write(directory.Path, path, content.Span);
            }

            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static void Write(string directory, string path, ReadOnlySpan<byte> content)
    {
        try
        {
            var target = Path.Combine(directory, path);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var stream = File.Create(target);
            stream.Write(content);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            var reason = exception is PathTooLongException ? "the file system takes no name or path of that length" : "a file and a directory cannot have the same path, and the disk needs room for it";
            throw new InferenceException(
                new InferenceError(ErrorCode.Internal, $"failed to poll from model repository: file override 'file:{path}' cannot be written: {reason}"), exception);
        }
    }

    private static bool IsSegment(string name) => name.Length > 0 && name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0;
}

/// <summary>A directory that is deleted on dispose.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("runtime-model-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
