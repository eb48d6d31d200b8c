using Runtime.Devices;
using Kind = Runtime.Protocol.ModelInstanceGroup.Types.Kind;

namespace Runtime.Models.Configuration;

/// <summary>The rules for <c>instance_group</c>.</summary>
internal static class InstanceRules
{
    // More than threads that could help, and few enough to start.
    private const int MostInstances = 1024;

    public static void Check(Protocol.ModelConfig config)
    {
        if (config.Platform == BackendFields.EnsemblePlatform)
        {
            return;
        }

        if (config.InstanceGroup.Count == 0)
        {
            throw new ModelConfigException($"must specify one or more 'instance group's for {config.Name}");
        }

        foreach (var group in config.InstanceGroup)
        {
            var prefix = Prefix(group, config);
            if (group.Kind != Kind.Gpu && group.Gpus.Count > 0)
            {
                var kind = group.Kind == Kind.Model ? "KIND_MODEL" : "KIND_CPU";
                throw new ModelConfigException($"{prefix} has kind {kind} but specifies one or more GPUs");
            }

            if (group.Count < 1)
            {
                throw new ModelConfigException($"{prefix} must have a count of 1 or more, got {group.Count}");
            }
        }

        var total = config.InstanceGroup.Sum(group => (long)group.Count * Math.Max(1, group.Gpus.Count));
        if (total > MostInstances)
        {
            throw new ModelConfigException($"model '{config.Name}': 'instance_group' asks for {total} instances, but at most {MostInstances} are possible");
        }
    }

    /// <summary>Checks that the GPUs which the groups ask for are there.</summary>
    public static void CheckDevices(Protocol.ModelConfig config, GpuSupport gpus)
    {
        foreach (var group in config.InstanceGroup.Where(group => group.Kind == Kind.Gpu))
        {
            CheckGpus(group, gpus, Prefix(group, config));
        }
    }

    private static string Prefix(Protocol.ModelInstanceGroup group, Protocol.ModelConfig config) => $"instance group {group.Name} of model {config.Name}";

    private static void CheckGpus(Protocol.ModelInstanceGroup group, GpuSupport gpus, string prefix)
    {
        if (gpus.Numbers.Count == 0)
        {
            throw new ModelConfigException($"{prefix} has kind KIND_GPU but server does not support GPUs: {gpus.WhyNone}; use KIND_CPU or KIND_AUTO");
        }

        foreach (var number in group.Gpus)
        {
            if (!gpus.Numbers.Contains(number))
            {
                throw new ModelConfigException($"{prefix} specifies invalid or unsupported gpu id {number}. GPUs of this machine are: {string.Join(", ", gpus.Numbers)}");
            }
        }

        if (group.Gpus.Distinct().Count() < group.Gpus.Count)
        {
            throw new ModelConfigException($"{prefix} names a GPU twice: [{string.Join(", ", group.Gpus)}]; use count for several instances on one GPU");
        }
    }
}
