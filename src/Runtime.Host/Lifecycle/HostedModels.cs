using System.Globalization;
using Runtime.Backends;
using Runtime.Functions;
using Runtime.Functions.Compiler;
using Runtime.Host.Http;
using Runtime.Host.Nvcf;
using Runtime.Host.Options;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Torch;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>The repository that the settings ask for, with every backend of this build.</summary>
internal sealed record HostedModels(ModelRepository Repository, ModelRoutes Routes)
{
    /// <summary>Functions of the program that the host is part of.</summary>
    public IReadOnlyList<FunctionModel> Bound { get; init; } = [];

    public static HostedModels Create(HostOptions options, ILoggerFactory loggers, IReadOnlyList<FunctionModel>? bound = null)
    {
        var routes = new ModelRoutes();
        var logger = loggers.CreateLogger("Models");
        var onnx = new OnnxOptions
        {
            IntraOpThreadCount = Threads(options.OnnxIntraOpThreads),
            InterOpThreadCount = Threads(options.OnnxInterOpThreads),
            AllowSpinning = options.OnnxThreadSpinning,
            CudaLibrary = options.OnnxCudaLibrary,
            GpuMemoryLimit = options.OnnxGpuMemLimit,
            CudnnConvAlgorithmSearch = options.OnnxCudnnConvAlgoSearch,
            Log = message => logger.LogWarning("{Message}", message),
        };
        ModelRepository? models = null;
        var repository = Options(options) with { Admit = config => Admit(config, routes), Warn = message => logger.LogWarning("{Message}", message) };
        var services = new FunctionServices { Models = () => models, Loggers = loggers, Platform = options.IsFunction ? new FunctionPlatform(options) : null };
        var torch = new TorchOptions { IntraOpThreadCount = Threads(options.TorchIntraOpThreads), Log = onnx.Log };
        IBackend[] backends = [new OnnxBackend(onnx), new TorchBackend(torch), Functions(options, services), new BoundFunctions(bound ?? [], services), new IdentityBackend(), new RepeatBackend(), new SquareBackend()];
        models = new ModelRepository(repository, backends);
        models.Changed += change => Log(logger, change);
        models.Changed += change => WarnOfNoCache(logger, models, change);
        routes.Follow(models);
        return new HostedModels(models, routes) { Bound = bound ?? [] };
    }

    /// <summary>The life of these models in the process.</summary>
    public ServedModels Serve() => new(StartAsync, () => Repository.Index(readyOnly: false), Repository.DisposeAsync);

    private async Task<IReadOnlyList<ModelEvent>> StartAsync(CancellationToken cancellation)
    {
        var failed = await Repository.StartAsync(cancellation);
        foreach (var function in Bound)
        {
            if (await Repository.AddAsync(function.Config, cancellation) is { } error)
            {
                failed = [.. failed, new ModelEvent(function.Name, 0, ModelState.Unavailable, error.Message)];
            }
        }

        // Nobody needs to wait for that.
        ThreadPool.UnsafeQueueUserWorkItem(static _ => NativeHeap.Trim(), null);
        return failed;
    }

    private static FunctionBackend Functions(HostOptions options, FunctionServices services)
    {
        var logger = services.Loggers.CreateLogger("Functions");
        var directory = options.FunctionCache switch { "none" => null, "" => CompilationCache.DefaultDirectory, var given => Path.GetFullPath(given) };
        return new FunctionBackend(services, new CompilationCache(directory, warning => logger.LogWarning("{Warning}", warning), CompilationCache.ShippedDirectory));
    }

    /// <summary>What this host asks of a configuration beside the core.</summary>
    internal static void Admit(ModelConfig config, ModelRoutes routes)
    {
        NvcfConventions.Check(config);
        routes.Claim(config);
    }

    /// <summary>The settings of the repository; a function also serves the models that the platform mounts.</summary>
    internal static RepositoryOptions Options(HostOptions options)
    {
        var (models, repositories) = options.IsFunction ? FunctionMounts.FindModels(options.NvcfConfigRoot, options.ModelRepository) : ([], []);
        return Common(options) with { Directories = [.. options.ModelRepository, .. repositories], ModelDirectories = models };
    }

    private static RepositoryOptions Common(HostOptions options) => new()
    {
        Directories = options.ModelRepository,
        SchemaDirectory = options.SchemaDirectory.Length > 0 ? options.SchemaDirectory : null,
        Mode = Enum.Parse<ModelControlMode>(options.ModelControlMode, ignoreCase: true),
        LoadAtStart = options.LoadModel,
        PollInterval = TimeSpan.FromSeconds(Math.Max(1, options.RepositoryPollSecs)),
        AutoComplete = !options.DisableAutoCompleteConfig,
        Limits = new ModelLimits { MaxQueueSize = options.DefaultMaxQueueSize, RequestTimeoutMilliseconds = options.RequestTimeoutMs },
        KeepSummaries = MetricsFlags.Read(options).Summaries,
        Cache = CacheFlags.TryRead(options, out var bytes) is null && bytes > 0 ? new ResponseCache(bytes) : null,
    };

    private static int Threads(int count) => count > 0 ? count : Environment.ProcessorCount;

    /// <summary>As with Triton, a model that wants a cache serves without one where there is none.</summary>
    private static void WarnOfNoCache(ILogger logger, ModelRepository models, ModelEvent change)
    {
        if (models.Cache is null && change.State == ModelState.Ready
            && models.TryAcquire(change.Name, change.Version.ToString(CultureInfo.InvariantCulture), out var lease) is null)
        {
            using (lease)
            {
                if (lease.Model.Config.IsCached)
                {
                    logger.LogWarning("Model '{Name}' has response_cache enabled and serves without a cache, since this host was started without --cache-config", change.Name);
                }
            }
        }
    }

    private static void Log(ILogger logger, ModelEvent change)
    {
        if (change.State == ModelState.Unavailable && change.Reason != "unloaded")
        {
            logger.LogError("Model '{Name}' version {Version} is unavailable: {Reason}", change.Name, change.Version, change.Reason);
            return;
        }

        logger.LogInformation("Model '{Name}' version {Version} is {State}{Reason}", change.Name, change.Version, change.State, change.Reason.Length > 0 ? $": {change.Reason}" : "");
    }
}
