using Runtime.Devices;

namespace Runtime.Models.Configuration;

/// <summary>What holds for every configuration, whatever the model's file says.</summary>
public static class ConfigRules
{
    /// <summary>
    /// Fills what follows from the name, the platform and the backend, in place, before the model is loaded; refuses at once
    /// what no file can mend. Without <paramref name="autoComplete"/> the configuration must be complete.
    /// <paramref name="gpusOf"/> says where the model's backend can run, once that is known; null for the CPU alone.
    /// </summary>
    /// <exception cref="ModelConfigException">The configuration cannot be served.</exception>
    public static void Prepare(Protocol.ModelConfig config, string modelName, string modelDirectory, bool autoComplete, Func<Protocol.ModelConfig, GpuSupport>? gpusOf = null)
    {
        if (config.Name.Length == 0)
        {
            config.Name = modelName;
        }
        else if (config.Name != modelName)
        {
            throw new ModelConfigException(
                $"unexpected directory name '{modelName}' for model '{config.Name}', directory name must equal model name; change 'name' or leave it away");
        }

        BackendFields.Fill(config, modelDirectory);
        UnsupportedFields.Check(config);
        CacheRules.Check(config);
        ConfigDefaults.Fill(config, gpusOf?.Invoke(config) ?? GpuSupport.Never);
        CheckBatchSize(config);
        CheckFile(config.DefaultModelFilename, "default_model_filename", config);
        CheckVersions(config);
        CheckEnsemble(config);
        if (config.MaxBatchSize > 0)
        {
            SchedulingRules.Check(config);
        }

        if (!autoComplete)
        {
            Check(config);
        }
    }

    /// <summary>Checks the instance groups against this machine, which is worth knowing before a file is loaded.</summary>
    /// <exception cref="ModelConfigException">They cannot be had here.</exception>
    public static void CheckInstances(Protocol.ModelConfig config, GpuSupport gpus)
    {
        InstanceRules.CheckDevices(config, gpus);
        InstanceRules.Check(config);
    }

    /// <summary>Checks a configuration that is complete.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="isOpen">Whether inputs and outputs may be left away, as with a function, which names its outputs itself.</param>
    /// <exception cref="ModelConfigException">The configuration cannot be served.</exception>
    public static void Check(Protocol.ModelConfig config, bool isOpen = false)
    {
        if (config.Name.Length == 0)
        {
            throw new ModelConfigException("model configuration must specify 'name'");
        }

        if (config.Backend.Length == 0 && config.Platform != BackendFields.EnsemblePlatform)
        {
            throw new ModelConfigException($"must specify 'platform' or 'backend' for {config.Name}");
        }

        UnsupportedFields.Check(config);
        CacheRules.Check(config);
        CheckBatchSize(config);
        CheckFile(config.DefaultModelFilename, "default_model_filename", config);
        CheckVersions(config);
        InstanceRules.Check(config);
        TensorRules.Check(config, isOpen);
        SchedulingRules.Check(config);
    }

    /// <summary>Refuses a file name that leads out of the model's directory.</summary>
    internal static void CheckFile(string name, string field, Protocol.ModelConfig config)
    {
        if (Path.IsPathRooted(name) || name.Split('/', '\\').Contains("..") || name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ModelConfigException($"model '{config.Name}': '{field}' must name a file inside the model's directory, got '{name}'");
        }
    }

    private static void CheckBatchSize(Protocol.ModelConfig config)
    {
        if (config.MaxBatchSize < 0)
        {
            throw new ModelConfigException($"'max_batch_size' must be non-negative value for {config.Name}, got {config.MaxBatchSize}");
        }
    }

    private static void CheckEnsemble(Protocol.ModelConfig config)
    {
        var isEnsemble = config.Platform == BackendFields.EnsemblePlatform;
        if (isEnsemble && config.EnsembleScheduling is not { Step.Count: > 0 })
        {
            throw new ModelConfigException($"model '{config.Name}': platform 'ensemble' needs 'ensemble_scheduling' with at least one step");
        }

        if (!isEnsemble && config.EnsembleScheduling is not null)
        {
            throw new ModelConfigException($"model '{config.Name}': 'ensemble_scheduling' needs platform 'ensemble'");
        }
    }

    private static void CheckVersions(Protocol.ModelConfig config)
    {
        if (config.VersionPolicy?.Specific is not { } specific)
        {
            return;
        }

        if (specific.Versions.Count == 0 || specific.Versions.Any(version => version < 1))
        {
            throw new ModelConfigException(
                $"model '{config.Name}': 'version_policy.specific.versions' must name versions of 1 or more, got [{string.Join(',', specific.Versions)}]");
        }
    }
}
