namespace Runtime.Functions.Compiler;

/// <summary>The assemblies that functions share with the host: the framework and what a function is made of. All others are their own affair.</summary>
internal static class HostAssemblies
{
    private static readonly string[] Contract = ["Runtime", "Runtime.Functions", "Google.Protobuf"];

    /// <summary>The files that every function is compiled against.</summary>
    public static IReadOnlyList<string> References { get; } =
        [.. ((string?)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(path => AreShared(Path.GetFileNameWithoutExtension(path)) && !IsWeb(Path.GetFileNameWithoutExtension(path)))];

    /// <summary>Whether a function gets the host's assembly of that name, whatever lies beside it.</summary>
    public static bool AreShared(string name) => Contract.Contains(name) || name is "System" or "mscorlib" or "netstandard" or "WindowsBase"
        || StartsWith(name, "System.") || StartsWith(name, "Microsoft.CSharp") || StartsWith(name, "Microsoft.VisualBasic")
        || StartsWith(name, "Microsoft.Win32.") || StartsWith(name, "Microsoft.Extensions.") || IsWeb(name);

    /// <summary>There are many of these, and a function has no use for them.</summary>
    private static bool IsWeb(string name) => StartsWith(name, "Microsoft.AspNetCore.") || StartsWith(name, "Microsoft.JSInterop") || name == "Microsoft.AspNetCore";

    private static bool StartsWith(string name, string start) => name.StartsWith(start, StringComparison.Ordinal);
}
