using System.Reflection;
using Runtime.Functions.Execution;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions.Compiler;

/// <summary>The class of an assembly that is the function.</summary>
internal static class FunctionClass
{
    /// <summary>Chooses a class where an assembly has several.</summary>
    private const string Parameter = "function";

    /// <exception cref="InferenceException">There is none, or more than one, or it cannot be made or overrides nothing.</exception>
    public static Type Find(Assembly assembly, ModelConfig config)
    {
        var candidates = Exported(assembly, config.Name).Where(type => type.IsSubclassOf(typeof(Function)) && type is { IsAbstract: false, ContainsGenericParameters: false }).ToArray();
        var type = config.Parameters.TryGetValue(Parameter, out var wanted) ? Named(candidates, wanted, config.Name) : Only(candidates, config.Name);
        if (type.GetConstructor(Type.EmptyTypes) is null)
        {
            throw Fault($"class {type.Name} of model '{config.Name}' needs a public constructor without parameters");
        }

        return FunctionForm.Of(type).IsEmpty
            ? throw Fault($"class {type.Name} of model '{config.Name}' must override {nameof(Function.InferAsync)}, {nameof(Function.InferBatchAsync)} or {nameof(Function.StreamAsync)}")
            : type;
    }

    public static Function Create(Type type) => (Function)Activator.CreateInstance(type)!;

    private static Type[] Exported(Assembly assembly, string model)
    {
        try
        {
            return assembly.GetExportedTypes();
        }
        catch (Exception exception) when (exception is FileNotFoundException or FileLoadException or TypeLoadException or BadImageFormatException or ReflectionTypeLoadException)
        {
            throw new InferenceException(new InferenceError(ErrorCode.InvalidArgument, $"the assembly of model '{model}' cannot be read: {exception.Message}"), exception);
        }
    }

    private static Type Named(Type[] candidates, string name, string model)
        => Array.Find(candidates, type => type.FullName == name || type.Name == name)
            ?? throw Fault($"model '{model}' has no public class '{name}' that derives from Function, as its parameter '{Parameter}' wants; there is {Names(candidates)}");

    private static Type Only(Type[] candidates, string model) => candidates.Length switch
    {
        1 => candidates[0],
        0 => throw Fault($"model '{model}' has no public class that derives from Function"),
        _ => throw Fault($"model '{model}' has {candidates.Length} public classes that derive from Function ({Names(candidates)}); name one with parameter '{Parameter}'"),
    };

    private static string Names(Type[] types) => types.Length == 0 ? "none" : string.Join(", ", types.Select(type => type.FullName));

    private static InferenceException Fault(string message) => new(ErrorCode.InvalidArgument, message);
}
