using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Nvcf;

/// <summary>What the platform mounts for a function below its read-only root: models and resources by name.</summary>
internal static class FunctionMounts
{
    /// <summary>
    /// The mounted models that serve: a mount with a configuration or a version is a model, one whose children are such is a
    /// repository of them, and anything else (weights for a function, say) is none. What the settings name already is left out.
    /// </summary>
    public static (IReadOnlyList<string> Models, IReadOnlyList<string> Repositories) FindModels(string root, IReadOnlyList<string> given)
    {
        var parent = Path.GetFullPath(Path.Combine(root, "models"));
        var known = given.Select(directory => Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))).ToArray();
        if (known.Contains(parent))
        {
            return ([], []);
        }

        var mounts = Children(parent).Where(mount => !known.Contains(mount)).ToLookup(IsModel);
        return ([.. mounts[true]], [.. mounts[false].Where(mount => Children(mount).Any(IsModel))]);
    }

    /// <summary>The mounted resources, by name.</summary>
    public static IReadOnlyDictionary<string, string> FindResources(string root)
        => Children(Path.GetFullPath(Path.Combine(root, "resources"))).ToDictionary(mount => Path.GetFileName(mount), mount => mount, StringComparer.Ordinal);

    private static bool IsModel(string directory)
        => File.Exists(Path.Combine(directory, "config.pbtxt"))
            || Children(directory).Select(child => Path.GetFileName(child)).Any(name => name[0] != '0' && name.All(char.IsAsciiDigit));

    private static string[] Children(string directory)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(directory).Where(child => !Path.GetFileName(child).StartsWith('.')).Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

/// <summary>The platform's part that requests share: resources as they were at the start, secrets as they are.</summary>
internal sealed class FunctionPlatform(HostOptions options) : HostPlatform
{
    private readonly Secrets _secrets = new(options.NvcfSecretsFile);

    public override IReadOnlyDictionary<string, string> Resources { get; } = FunctionMounts.FindResources(options.NvcfConfigRoot);

    public override string? FindSecret(string name) => _secrets.Find(name);
}
