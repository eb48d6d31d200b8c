using System.Collections;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Models;

namespace Runtime.Functions.Execution;

/// <summary>Where a function is from.</summary>
/// <param name="Create">Makes an object of it.</param>
/// <param name="Form">How it answers.</param>
/// <param name="VersionDirectory">The directory it was loaded from; empty for none.</param>
/// <param name="Unload">Frees its code, after its last object.</param>
internal sealed record FunctionOrigin(Func<Function> Create, FunctionForm Form, string VersionDirectory, Action? Unload = null);

/// <summary>A function that is loaded: a model whose instances are objects of its class.</summary>
internal sealed class LoadedFunction(FunctionOrigin origin, FunctionServices services) : ILoadedModel
{
    public ModelSignature? Signature => null;

    public bool HasOpenOutputs => true;

    public void Complete(Protocol.ModelConfig config)
    {
        if (!origin.Form.AnswersOnce)
        {
            config.ModelTransactionPolicy ??= new();
            config.ModelTransactionPolicy.Decoupled = true;
        }
    }

    public IDisposable CreateInstance(ModelConfig config, Device device)
    {
        WorkerThreads.Raise();
        var context = ContextOf(config);
        var failures = new FunctionFailures(config, context.Logger);
        var function = Create(config.Name, context, failures);
        var run = new FunctionRun(function, config, services, failures);
        return (origin.Form.AnswersOnce, origin.Form.Streams) switch
        {
            (true, false) => new AnsweringFunction(run, new FunctionCalls(run, origin.Form)),
            (false, true) => new StreamingFunction(run),
            _ => new VersatileFunction(run, new FunctionCalls(run, origin.Form)),
        };
    }

    public void Dispose() => origin.Unload?.Invoke();

    private Function Create(string name, FunctionContext context, FunctionFailures failures)
    {
        Function function;
        try
        {
            function = origin.Create();
        }
        catch (Exception exception)
        {
            throw FunctionFailures.Load(name, "its constructor", exception);
        }

        function.Context = context;
        try
        {
            // Its code may block or want a context of its own, neither of which is the loader's affair.
            Task.Run(async () => await function.InitializeAsync(context).ConfigureAwait(false)).GetAwaiter().GetResult();
            return function;
        }
        catch (Exception exception)
        {
            FunctionRun.Dispose(function, failures, services.Time);
            throw FunctionFailures.Load(name, nameof(Function.InitializeAsync), exception);
        }
    }

    private FunctionContext ContextOf(ModelConfig config)
    {
        var directory = origin.VersionDirectory;
        return new FunctionContext
        {
            ModelName = config.Name,
            ModelVersion = long.TryParse(Path.GetFileName(directory), out var version) ? version : 1,
            ModelDirectory = Path.GetDirectoryName(directory) ?? "",
            VersionDirectory = directory,
            Parameters = config.Parameters,
            Secrets = new Secrets(services.Platform is { } platform ? platform.FindSecret : System.Environment.GetEnvironmentVariable),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? ""),
            Logger = services.Loggers.CreateLogger("Function." + config.Name),
            Models = new ModelCalls(config.Name, services),
        };
    }
}

/// <summary>Functions may block their threads, which must not keep the host from its own work.</summary>
internal static class WorkerThreads
{
    private const int Fewest = 32;
    private static int _isRaised;

    /// <summary>Lets the thread pool start so many threads without hesitating; once a process.</summary>
    public static void Raise()
    {
        if (Interlocked.Exchange(ref _isRaised, 1) == 0)
        {
            ThreadPool.GetMinThreads(out var workers, out var ports);
            ThreadPool.SetMinThreads(Math.Max(workers, Fewest), ports);
        }
    }
}
