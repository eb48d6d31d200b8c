using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Runtime.Functions;
using Runtime.Functions.Compiler;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;

namespace Runtime.Backends.Tests.Functions;

/// <summary>A repository of functions in a directory of its own, or of the models that come with the project.</summary>
internal sealed class FunctionRepository : IAsyncDisposable
{
    /// <summary>An INT32 X that may be absent.</summary>
    public const string Config = "backend: 'csharp' input { name: 'X' data_type: TYPE_INT32 dims: 1 optional: true } ";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    public FunctionRepository(string? directory = null, CompilationCache? cache = null)
    {
        ModelRepository? models = null;
        var functions = new FunctionBackend(new FunctionServices { Models = () => models }, cache ?? new CompilationCache(null));
        var options = new RepositoryOptions { Directories = [directory ?? _directory.FullName], Mode = ModelControlMode.Explicit };
        Models = models = new ModelRepository(options, [functions, new OnnxBackend()]);
    }

    public ModelRepository Models { get; }

    /// <summary>The project's own models.</summary>
    public static string Samples { get; } = FindSamples();

    /// <summary>The body of a class that answers Y.</summary>
    public static string Answering(string expression) => $$"""
        public sealed class Answer : Function
        {
            public override ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request) => new Outputs { ["Y"] = {{expression}} };
        }
        """;

    public string Write(string name, string source, string config = Config, string file = "model.cs") => Write(name, file, System.Text.Encoding.UTF8.GetBytes(source), config);

    public string Write(string name, string file, byte[] content, string config = Config)
    {
        var path = Path.Combine(_directory.CreateSubdirectory(Path.Combine(name, "1")).FullName, file);
        File.WriteAllBytes(path, content);
        File.WriteAllText(Path.Combine(_directory.FullName, name, "config.pbtxt"), config);
        return path;
    }

    /// <summary>Empty when it loads, else why it does not.</summary>
    public async Task<string> LoadAsync(string name) => (await Models.LoadAsync(name, null, default))?.Message ?? "";

    public async Task UnloadAsync(string name) => Assert.Null(await Models.UnloadAsync(name, false, default));

    /// <summary>Y, or the error's message.</summary>
    public async Task<string> AskAsync(string name, int value = 1)
    {
        using var request = new InferenceRequest();
        request.Inputs.With("X", DataType.Int32, [1], value);
        return await AskAsync(name, request, "Y");
    }

    public async Task<string> AskAsync(string name, InferenceRequest request, string output)
    {
        if (Models.TryAcquire(name, "", out var lease) is { } missing)
        {
            return missing.Message;
        }

        using (lease)
        using (var response = await lease.Model.InferAsync(request, default))
        {
            return response.Error?.Message ?? Text(response, output);
        }
    }

    public async Task<IReadOnlyList<string>> StreamAsync(string name, InferenceRequest request, string output)
    {
        Assert.Null(Models.TryAcquire(name, "", out var lease));
        using (lease)
        {
            var pieces = new List<string>();
            await foreach (var response in lease.Model.StreamAsync(request, default))
            {
                using (response)
                {
                    pieces.Add(response.Error?.Message ?? Text(response, output));
                }
            }

            return pieces;
        }
    }

    /// <summary>The load contexts of a function, without keeping them alive.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static WeakReference[] Contexts(string name) => [.. AssemblyLoadContext.All.Where(context => context.Name == "function " + name).Select(context => new WeakReference(context))];

    /// <summary>Collects until the contexts are gone, and returns how many are not.</summary>
    public static async Task<int> CollectAsync(IReadOnlyList<WeakReference> contexts)
    {
        for (var i = 0; i < 100 && contexts.Any(context => context.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }

        return contexts.Count(context => context.IsAlive);
    }

    public async ValueTask DisposeAsync()
    {
        await Models.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static string Text(InferenceResponse response, string output)
    {
        var tensor = response.Outputs.Find(output)!;
        return tensor.Type == DataType.Bytes
            ? System.Text.Encoding.UTF8.GetString(tensor.Data.Span[4..])
            : string.Join(',', System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(tensor.Data.Span).ToArray());
    }

    private static string FindSamples()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(directory.FullName, "models", "char_gpt")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("models/char_gpt is not above the tests");
        }

        return Path.Combine(directory.FullName, "models");
    }
}
