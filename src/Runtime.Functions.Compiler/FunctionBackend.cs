using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Runtime.Backends;
using Runtime.Functions.Execution;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions.Compiler;

/// <summary>
/// Loads C# functions: <c>model.cs</c> with the other sources beside it, compiled, or <c>model.dll</c> as it is. Either has a
/// load context of its own and is read into memory, so that unloading frees it and its files can be replaced at any time.
/// </summary>
public sealed class FunctionBackend(FunctionServices services, CompilationCache cache) : IBackend
{
    private const string SourceFile = "model.cs";
    private const string AssemblyFile = "model.dll";

    private readonly ILogger _logger = services.Loggers.CreateLogger<FunctionBackend>();

    public string Name => "csharp";

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(versionDirectory));
        var path = FindFile(config, directory);
        var image = path.EndsWith(".cs", StringComparison.Ordinal) ? Compile(config.Name, path) : File.ReadAllBytes(path);
        var context = new FunctionLoadContext(config.Name, directory);
        try
        {
            var type = FunctionClass.Find(context.Load(image, path), config);
            var form = FunctionForm.Of(type);
            return new LoadedFunction(new FunctionOrigin(() => FunctionClass.Create(type), form, directory, context.Unload), services);
        }
        catch
        {
            context.Unload();
            throw;
        }
    }

    private byte[] Compile(string model, string path)
    {
        var start = Stopwatch.GetTimestamp();
        var sources = FunctionSources.Read(model, path);
        var key = CompilationCache.KeyOf(sources);
        var image = cache.Find(key);
        if (image is null)
        {
            // The compiler is a large library, which loads with the first method that mentions it.
            image = SourceCompiler.Compile(sources);
            cache.Store(key, image);
            _logger.LogInformation("Compiled function '{Name}' in {Milliseconds} ms", model, (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return image;
    }

    private static string FindFile(ModelConfig config, string directory)
    {
        var wanted = config.ModelFilename.Length == 0 ? SourceFile : config.ModelFilename;
        var path = Path.GetFullPath(Path.Combine(directory, wanted));
        if (!path.StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"default_model_filename '{wanted}' of model '{config.Name}' must name a file inside the version's directory");
        }

        if (wanted == SourceFile && !File.Exists(path))
        {
            path = Path.Combine(directory, AssemblyFile); // the default is the first of the two that is there
        }

        return File.Exists(path)
            ? path
            : throw new InferenceException(ErrorCode.NotFound, $"unable to find '{Path.GetFileName(directory)}/{wanted}' of model '{config.Name}'");
    }
}
