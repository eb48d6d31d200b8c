using System.Diagnostics;
using System.Globalization;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models.Configuration;
using Runtime.Schemas;

namespace Runtime.Models;

/// <summary>What loading a model's directory came to: the versions that can serve, and the reasons of those that cannot.</summary>
internal sealed record LoadResult(IReadOnlyList<ServedVersion> Served, IReadOnlyDictionary<long, string> Failed, IReadOnlyList<string> Steps)
{
    /// <summary>Why a version failed, where that will not go away; null where nothing of the kind happened.</summary>
    public InferenceError? ForGood { get; init; }
}

/// <summary>Where a model is loaded from: its prepared configuration, the directory, and the versions that the policy selects.</summary>
internal sealed class ModelSource(Protocol.ModelConfig message, string directory, IReadOnlyList<long> versions, IDisposable? files) : IDisposable
{
    /// <summary>What requests must hold besides the configuration; null where there is no such file.</summary>
    public InputSchema? Schema { get; init; }

    private readonly IDisposable? _files = files;
    private int _references = 1;

    public Protocol.ModelConfig Message { get; } = message;

    public string Directory { get; } = directory;

    public IReadOnlyList<long> Versions { get; } = versions;

    /// <summary>For an ensemble, the models of its steps.</summary>
    public IReadOnlyList<string> Steps => [.. Message.EnsembleScheduling?.Step.Select(step => step.ModelName).Distinct() ?? []];

    /// <summary>A share in the files that a client sent; null where they are the repository's own.</summary>
    public IDisposable? Share()
    {
        if (_files is null)
        {
            return null;
        }

        Interlocked.Increment(ref _references);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            _files?.Dispose();
        }
    }
}

/// <summary>Turns a model's directory into models that can serve: configuration, versions, backend, completion, checks, instances.</summary>
internal sealed class ModelLoader(IReadOnlyList<IBackend> backends, RepositoryOptions options, TimeProvider time, Ensemble.AcquireModel acquire)
{
    /// <summary>Why a load failed, for the index. What is not about the model's files is a fault of the program or of a backend: it fails this model only, and is logged as a whole.</summary>
    public string Reason(string name, Exception exception)
    {
        if (exception is InferenceException or ModelConfigException or IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }

        options.Warn?.Invoke($"loading model '{name}' met a fault that is not the model's: {exception}");
        return $"unexpected {exception.GetType().Name}: {exception.Message}";
    }

    /// <summary>The error behind a failed load that only a new process helps against, as when the warm-up loses the device; otherwise null.</summary>
    public static InferenceError? ForGood(Exception exception) => exception is InferenceException { Error: { IsPermanent: true } error } ? error : null;

    /// <summary>Reads the configuration and looks for versions.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="directory">Its directory; unused when the overrides bring all files.</param>
    /// <param name="overrides">A configuration and files that take the place of the directory's.</param>
    /// <exception cref="ModelConfigException">The configuration cannot be served, whatever the files.</exception>
    /// <exception cref="InferenceException">There is no version to load, or the overrides are no good.</exception>
    public ModelSource Open(string name, string directory, LoadOverrides? overrides)
    {
        var files = overrides is { Files.Count: > 0 } ? ModelDirectory.Materialize(overrides.Files) : null;
        try
        {
            var source = files?.Path ?? directory;
            var message = ReadConfig(name, source, overrides);
            ConfigRules.Prepare(message, name, source, options.AutoComplete, config => FindBackend(config)?.Gpus ?? GpuSupport.Never);
            var versions = VersionPolicy.Select(message.VersionPolicy, Available(message, source));
            return versions.Count > 0
                ? new ModelSource(message, source, versions, files) { Schema = InputSchemaFile.Find(source, options.SchemaDirectory, name) }
                : throw new InferenceException(ErrorCode.InvalidArgument, $"at least one version must be available under the version policy of model '{name}'");
        }
        catch
        {
            files?.Dispose();
            throw;
        }
    }

    /// <summary>Loads every version; those that cannot be loaded do not keep the others from it.</summary>
    /// <exception cref="ModelConfigException">An ensemble's graph does not fit together, whatever the version.</exception>
    public LoadResult Load(ModelSource source)
    {
        var served = new List<ServedVersion>();
        var failed = new SortedDictionary<long, string>();
        InferenceError? forGood = null;
        foreach (var version in source.Versions)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                var message = source.Message.Clone();
                var model = message.EnsembleScheduling is null ? LoadVersion(message, source, version) : LoadEnsemble(message, source, version);
                Warm(model, source.Directory);
                model.UseCache(options.Cache); // after the warm-up, whose every request must run
                if (options.KeepSummaries)
                {
                    model.Statistics.BeginSummaries();
                }

                model.Statistics.LoadDuration = Stopwatch.GetElapsedTime(start);
                served.Add(new ServedVersion(model, source.Share()));
            }
            catch (Exception exception) when (source.Steps.Count == 0)
            {
                failed[version] = Reason(source.Message.Name, exception);
                forGood ??= ForGood(exception);
            }
        }

        return new LoadResult(served, failed, source.Steps) { ForGood = forGood };
    }

    private IReadOnlyList<long> Available(Protocol.ModelConfig message, string directory)
    {
        var versions = ModelDirectory.Versions(directory);
        var needsFiles = message.EnsembleScheduling is null && (FindBackend(message)?.NeedsFiles ?? true);
        return versions.Count > 0 || needsFiles ? versions : [1];
    }

    private static Protocol.ModelConfig ReadConfig(string name, string directory, LoadOverrides? overrides)
    {
        if (overrides?.Config is { } config)
        {
            return config;
        }

        if (overrides?.ConfigJson is { } json)
        {
            return ModelConfigJson.Parse(json, $"the load request's config of '{name}'");
        }

        var path = Path.Combine(directory, "config.pbtxt");
        return File.Exists(path) ? ModelConfigText.Read(path) : new Protocol.ModelConfig();
    }

    private Model LoadVersion(Protocol.ModelConfig message, ModelSource source, long version)
    {
        var directory = source.Directory;
        var backend = Backend(message);
        ConfigRules.CheckInstances(message, backend.Gpus);
        var loaded = backend.Load(ModelConfig.From(message), Path.Combine(directory, version.ToString(CultureInfo.InvariantCulture)));
        ModelConfig config;
        Dictionary<string, string[]> labels;
        try
        {
            loaded.Complete(message);
            if (source.Schema is not null && loaded.Signature is null)
            {
                SchemaConfig.Fill(message, source.Schema);
            }

            ConfigCompletion.Complete(message, loaded.Signature, options.AutoComplete);
            ConfigRules.Check(message, loaded.HasOpenOutputs);
            config = Limited(message) with { HasOpenOutputs = loaded.HasOpenOutputs };
            options.Admit?.Invoke(config);
            labels = ReadLabels(config, directory);
            Check(config, source.Schema, isFilled: loaded.Signature is null);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }

        var model = new Model(config, version, loaded, labels, time, directory);
        model.UseSchema(source.Schema);
        return model;
    }

    private Model LoadEnsemble(Protocol.ModelConfig message, ModelSource source, long version)
    {
        ConfigRules.Check(message);
        var config = Limited(message);
        options.Admit?.Invoke(config);
        var steps = EnsembleStep.From(message.EnsembleScheduling);
        EnsembleCheck.Check(config, steps, acquire);
        Check(config, source.Schema, isFilled: false);
        var model = new Model(config, version, new Ensemble(config.Name, steps, config.Outputs, acquire), ReadLabels(config, source.Directory), time);
        model.UseSchema(source.Schema);
        return model;
    }

    private void Check(ModelConfig config, InputSchema? schema, bool isFilled)
    {
        if (schema is null)
        {
            return;
        }

        SchemaConfig.Check(config, schema);
        foreach (var warning in SchemaConfig.Warnings(schema, isFilled))
        {
            options.Warn?.Invoke($"model '{config.Name}': {warning}");
        }
    }

    private ModelConfig Limited(Protocol.ModelConfig message)
    {
        var config = ModelConfig.From(message);
        return config with { Limits = options.Limits.For(config) };
    }

    private IBackend? FindBackend(Protocol.ModelConfig message) => backends.FirstOrDefault(candidate => candidate.Name == message.Backend);

    private IBackend Backend(Protocol.ModelConfig message) => FindBackend(message)
        ?? throw new InferenceException(
            ErrorCode.InvalidArgument,
            $"unable to find backend '{message.Backend}'; this host has {string.Join(", ", backends.Select(candidate => candidate.Name).Order(StringComparer.Ordinal))}");

    private static void Warm(Model model, string directory)
    {
        try
        {
            if (!model.IsWarmed)
            {
                ModelWarmup.RunAsync(model, directory).GetAwaiter().GetResult();
            }
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static Dictionary<string, string[]> ReadLabels(ModelConfig config, string directory) => config.Outputs
        .Where(output => output.LabelFilename.Length > 0)
        .ToDictionary(output => output.Name, output => File.ReadAllLines(Path.Combine(directory, output.LabelFilename)));
}
