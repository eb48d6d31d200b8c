using Kind = Runtime.Protocol.ModelInstanceGroup.Types.Kind;

namespace Runtime.Models.Configuration;

/// <summary>What a configuration means that leaves a field away.</summary>
internal static class ConfigDefaults
{
    private const int OnnxRuntimeCpuInstances = 2;

    public static void Fill(Protocol.ModelConfig config)
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
        FillInstances(config);
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

    private static void FillInstances(Protocol.ModelConfig config)
    {
        if (config.InstanceGroup.Count == 0)
        {
            config.InstanceGroup.Add(new Protocol.ModelInstanceGroup { Name = config.Name });
        }

        for (var i = 0; i < config.InstanceGroup.Count; i++)
        {
            var group = config.InstanceGroup[i];
            group.Name = group.Name.Length > 0 ? group.Name : $"{config.Name}_{i}";
            group.Kind = group.Kind == Kind.Auto ? Kind.Cpu : group.Kind;
            if (group.Count == 0)
            {
                var isOnnxOnCpu = config.Backend == BackendFields.OnnxRuntime && group.Kind == Kind.Cpu;
                group.Count = isOnnxOnCpu ? OnnxRuntimeCpuInstances : 1;
            }
        }
    }
}
