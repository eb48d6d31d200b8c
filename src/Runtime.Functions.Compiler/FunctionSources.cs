using System.Reflection;

namespace Runtime.Functions.Compiler;

/// <summary>A file of a function, read whole.</summary>
internal sealed record SourceFile(string Name, byte[] Content);

/// <summary>What a function is compiled from: its sources, and the assemblies that lie beside them.</summary>
internal sealed record FunctionSources(string Model, IReadOnlyList<SourceFile> Files, IReadOnlyList<SourceFile> Assemblies)
{
    /// <summary>Reads the function's file, the other sources of its directory and the managed assemblies there.</summary>
    public static FunctionSources Read(string model, string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        var others = Directory.EnumerateFiles(directory, "*.cs").Where(other => other != path).Order(StringComparer.Ordinal);
        var assemblies = Directory.EnumerateFiles(directory, "*.dll").Where(IsManaged).Order(StringComparer.Ordinal);
        return new FunctionSources(model, [.. others.Prepend(path).Select(ReadFile)], [.. assemblies.Select(ReadFile)]);
    }

    private static SourceFile ReadFile(string path) => new(Path.GetFileName(path), File.ReadAllBytes(path));

    private static bool IsManaged(string path)
    {
        try
        {
            return !HostAssemblies.AreShared(AssemblyName.GetAssemblyName(path).Name!);
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }
}
