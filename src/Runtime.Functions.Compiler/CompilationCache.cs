using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Runtime.Functions.Compiler;

/// <summary>
/// Keeps compiled functions in a directory, under a hash of all that they were compiled from. What is in it is run, so it must
/// be writable by nobody else; one that is, or cannot be used, is not. Thread-safe, also between processes.
/// </summary>
public sealed class CompilationCache
{
    private readonly Lazy<string?> _directory; // looked at when there is a function, since most hosts serve none
    private readonly string? _shipped;

    /// <param name="directory">The directory, made if need be; null for no cache.</param>
    /// <param name="warn">Told in a sentence why a directory is not used.</param>
    /// <param name="shipped">A directory that is only read, as trusted as the host's own files; it need not be there.</param>
    public CompilationCache(string? directory, Action<string>? warn = null, string? shipped = null)
    {
        _shipped = shipped;
        _directory = new Lazy<string?>(() => Usable(directory, warn));
    }

    /// <summary>Beside the host's own files, for whoever ships functions compiled with them.</summary>
    public static string ShippedDirectory => Path.Combine(AppContext.BaseDirectory, "functions");

    /// <summary>A directory of the user's; null where there is none.</summary>
    public static string? DefaultDirectory
    {
        get
        {
            var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return !string.IsNullOrEmpty(cache) && Path.IsPathRooted(cache) ? Path.Combine(cache, "runtime-host", "functions")
                : home.Length > 0 ? Path.Combine(home, ".cache", "runtime-host", "functions") : null;
        }
    }

    internal static string KeyOf(FunctionSources sources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // This assembly's identity stands for the compiler and its options, the core library's for the framework.
        Add(hash, "compiler", typeof(CompilationCache).Module.ModuleVersionId.ToByteArray());
        Add(hash, "functions", typeof(Function).Module.ModuleVersionId.ToByteArray());
        Add(hash, "core", typeof(Tensors.Tensor).Module.ModuleVersionId.ToByteArray());
        Add(hash, RuntimeInformation.FrameworkDescription, typeof(object).Module.ModuleVersionId.ToByteArray());
        Add(hash, "model", Encoding.UTF8.GetBytes(sources.Model));
        foreach (var file in sources.Files.Concat(sources.Assemblies))
        {
            Add(hash, file.Name, file.Content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The assembly of that key, or null; also for a file that a crash has left in part.</summary>
    internal byte[]? Find(string key) => Read(_directory.Value, key) ?? Read(_shipped, key);

    private static byte[]? Read(string? directory, string key)
    {
        try
        {
            var content = directory is not null && File.Exists(PathOf(directory, key)) ? File.ReadAllBytes(PathOf(directory, key)) : [];
            var length = content.Length - SHA256.HashSizeInBytes;
            return length > 0 && SHA256.HashData(content.AsSpan(0, length)).AsSpan().SequenceEqual(content.AsSpan(length)) ? content[..length] : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps an assembly, if it can: whoever finds it finds it whole.</summary>
    internal void Store(string key, byte[] image)
    {
        if (_directory.Value is not { } directory)
        {
            return;
        }

        var draft = Path.Combine(directory, $".{key}.{Guid.NewGuid():N}");
        try
        {
            File.WriteAllBytes(draft, [.. image, .. SHA256.HashData(image)]);
            File.Move(draft, PathOf(directory, key), overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(draft);
        }
    }

    private static string? Usable(string? directory, Action<string>? warn)
    {
        if (directory is null || Prepare(directory) is not { } fault)
        {
            return directory;
        }

        warn?.Invoke($"compiled functions are not kept in '{directory}': {fault}");
        return null;
    }

    private static string? Prepare(string directory)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(directory);
                return null;
            }

            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if ((File.GetUnixFileMode(directory) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            {
                return "others may write to it";
            }

            using var probe = File.Create(Path.Combine(directory, $".{Guid.NewGuid():N}"), 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private static void Add(IncrementalHash hash, string name, byte[] content)
    {
        hash.AppendData(Encoding.UTF8.GetBytes($"{name}\n{content.Length}\n"));
        hash.AppendData(content);
    }

    private static string PathOf(string directory, string key) => Path.Combine(directory, key + ".dll");
}
