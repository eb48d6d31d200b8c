using Runtime.Backends;
using Runtime.Models;
using Runtime.Onnx;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Lifecycle;

/// <summary>The repository that the settings ask for, with every backend of this build.</summary>
internal static class HostedModels
{
    public static ModelRepository Create(HostOptions options, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger("Models");
        var onnx = new OnnxOptions
        {
            IntraOpThreadCount = Threads(options.OnnxIntraOpThreads),
            InterOpThreadCount = Threads(options.OnnxInterOpThreads),
            AllowSpinning = options.OnnxThreadSpinning,
            Log = message => logger.LogWarning("{Message}", message),
        };
        var models = new ModelRepository(Options(options), [new OnnxBackend(onnx), new IdentityBackend(), new RepeatBackend(), new SquareBackend()]);
        models.Changed += change => Log(logger, change);
        return models;
    }

    private static RepositoryOptions Options(HostOptions options) => new()
    {
        Directories = options.ModelRepository,
        Mode = Enum.Parse<ModelControlMode>(options.ModelControlMode, ignoreCase: true),
        LoadAtStart = options.LoadModel,
        PollInterval = TimeSpan.FromSeconds(Math.Max(1, options.RepositoryPollSecs)),
        AutoComplete = !options.DisableAutoCompleteConfig,
        Limits = new ModelLimits { MaxQueueSize = options.DefaultMaxQueueSize, RequestTimeoutMilliseconds = options.RequestTimeoutMs },
    };

    private static int Threads(int count) => count > 0 ? count : Environment.ProcessorCount;

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
