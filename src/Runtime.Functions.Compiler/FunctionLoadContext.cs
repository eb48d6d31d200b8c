using System.Reflection;
using System.Runtime.Loader;
using Runtime.Inference;

namespace Runtime.Functions.Compiler;

/// <summary>A function's assembly and those that lie beside it, to be unloaded together.</summary>
internal sealed class FunctionLoadContext(string model, string directory) : AssemblyLoadContext("function " + model, isCollectible: true)
{
    /// <exception cref="InferenceException">The image is no assembly, or one that this process cannot load.</exception>
    public Assembly Load(byte[] image, string path)
    {
        try
        {
            return LoadFromStream(new MemoryStream(image));
        }
        catch (Exception exception) when (exception is BadImageFormatException or FileLoadException)
        {
            throw new InferenceException(new InferenceError(ErrorCode.InvalidArgument, $"'{Path.GetFileName(path)}' of model '{model}' cannot be loaded: {exception.Message}"), exception);
        }
    }

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (HostAssemblies.AreShared(assemblyName.Name!))
        {
            return null;
        }

        var path = Path.Combine(directory, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromStream(new MemoryStream(File.ReadAllBytes(path))) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName)
    {
        string[] names = [unmanagedDllName, $"lib{unmanagedDllName}.so", unmanagedDllName + ".so", unmanagedDllName + ".dll", $"lib{unmanagedDllName}.dylib"];
        var path = names.Select(name => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
        return path is null ? 0 : LoadUnmanagedDllFromPath(path);
    }
}
