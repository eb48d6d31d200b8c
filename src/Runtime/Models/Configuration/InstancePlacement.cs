using Runtime.Devices;
using Kind = Runtime.Protocol.ModelInstanceGroup.Types.Kind;

namespace Runtime.Models.Configuration;

/// <summary>What <c>instance_group</c> means on this machine: where instances go, and how many.</summary>
internal static class InstancePlacement
{
    private const int OnnxRuntimeCpuInstances = 2;

    /// <summary>Fills in what groups leave open. As with Triton, KIND_AUTO is a GPU where one is, and a group without <c>gpus</c> is on each of them.</summary>
    public static void Fill(Protocol.ModelConfig config, GpuSupport gpus)
    {
        if (config.InstanceGroup.Count == 0)
        {
            config.InstanceGroup.Add(new Protocol.ModelInstanceGroup { Name = config.Name });
        }

        for (var i = 0; i < config.InstanceGroup.Count; i++)
        {
            var group = config.InstanceGroup[i];
            group.Name = group.Name.Length > 0 ? group.Name : $"{config.Name}_{i}";
            if (group.Kind == Kind.Auto)
            {
                group.Kind = gpus.Numbers.Count > 0 ? Kind.Gpu : Kind.Cpu;
            }

            if (group.Kind == Kind.Gpu && group.Gpus.Count == 0)
            {
                group.Gpus.AddRange(gpus.Numbers);
            }

            if (group.Count == 0)
            {
                var isOnnxOnCpu = config.Backend == BackendFields.OnnxRuntime && group.Kind == Kind.Cpu;
                group.Count = isOnnxOnCpu ? OnnxRuntimeCpuInstances : 1;
            }
        }
    }

    /// <summary>One device for each instance, in the order of the groups; one on the CPU where there are no groups.</summary>
    public static IReadOnlyList<Device> Devices(Protocol.ModelConfig config)
    {
        var devices = config.InstanceGroup.SelectMany(OfGroup).ToArray();
        return devices.Length > 0 ? devices : [Device.Cpu];
    }

    /// <summary>As the log says it: <c>2 instances on CPU, 1 instance on GPU 0</c>.</summary>
    public static string Text(IReadOnlyList<Device> devices) => string.Join(
        ", ", devices.GroupBy(device => device).Select(group => $"{group.Count()} {(group.Count() == 1 ? "instance" : "instances")} on {group.Key}"));

    private static IEnumerable<Device> OfGroup(Protocol.ModelInstanceGroup group)
    {
        var places = group.Kind == Kind.Gpu ? group.Gpus.Select(number => new Device(number)) : [Device.Cpu];
        return places.SelectMany(device => Enumerable.Repeat(device, Math.Max(0, group.Count)));
    }
}
