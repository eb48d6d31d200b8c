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
            var prefix = $"instance group {group.Name} of model {config.Name}";
            if (group.Kind == Kind.Gpu)
            {
                throw new ModelConfigException($"{prefix} has kind KIND_GPU but server does not support GPUs; use KIND_CPU or KIND_AUTO");
            }

            if (group.Gpus.Count > 0)
            {
                var kind = group.Kind == Kind.Model ? "KIND_MODEL" : "KIND_CPU";
                throw new ModelConfigException($"{prefix} has kind {kind} but specifies one or more GPUs");
            }

            if (group.Count < 1)
            {
                throw new ModelConfigException($"{prefix} must have a count of 1 or more, got {group.Count}");
            }
        }

        var total = config.InstanceGroup.Sum(group => (long)group.Count);
        if (total > MostInstances)
        {
            throw new ModelConfigException($"model '{config.Name}': 'instance_group' asks for {total} instances, but at most {MostInstances} are possible");
        }
    }
}
