using Runtime.Devices;

namespace Runtime.Models.Configuration;

/// <summary>What a configuration means that leaves a field away.</summary>
internal static class ConfigDefaults
{
    public static void Fill(Protocol.ModelConfig config, GpuSupport gpus)
    {
        config.VersionPolicy ??= new();
        if (config.VersionPolicy.PolicyChoiceCase == Protocol.ModelVersionPolicy.PolicyChoiceOneofCase.None)
        {
            config.VersionPolicy.Latest = new() { NumVersions = 1 };
        }
        else if (config.VersionPolicy.Latest is { NumVersions: 0 } latest)
        {
            latest.NumVersions = 1;
        }

        if (config.Platform == BackendFields.EnsemblePlatform)
        {
            config.ModelTransactionPolicy ??= new();
            return;
        }

        config.Optimization ??= new();
        config.Optimization.InputPinnedMemory ??= new() { Enable = true };
        config.Optimization.OutputPinnedMemory ??= new() { Enable = true };
        InstancePlacement.Fill(config, gpus);
        FillPreferredBatchSize(config);
    }

    /// <summary>Dynamic batching without preferred sizes prefers full batches; known only once the maximum is.</summary>
    public static void FillPreferredBatchSize(Protocol.ModelConfig config)
    {
        if (config.DynamicBatching is { PreferredBatchSize.Count: 0 } batching && config.MaxBatchSize > 0)
        {
            batching.PreferredBatchSize.Add(config.MaxBatchSize);
        }

        if (config.SequenceBatching?.Oldest is { PreferredBatchSize.Count: 0 } oldest && config.MaxBatchSize > 0)
        {
            oldest.PreferredBatchSize.Add(config.MaxBatchSize);
        }
    }
}
