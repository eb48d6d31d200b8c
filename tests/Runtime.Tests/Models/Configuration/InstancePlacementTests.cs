using Runtime.Devices;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

public class InstancePlacementTests
{
    private static readonly GpuSupport TwoGpus = new([0, 2], "");

    [Theory]
    [InlineData("", "1 instance on GPU 0, 1 instance on GPU 2")]
    [InlineData("instance_group { count: 3 }", "3 instances on GPU 0, 3 instances on GPU 2")]
    [InlineData("instance_group { kind: KIND_AUTO count: 3 gpus: 2 }", "3 instances on GPU 2")]
    [InlineData("instance_group { kind: KIND_GPU count: 2 gpus: 0 }", "2 instances on GPU 0")]
    [InlineData("instance_group { kind: KIND_CPU }", "1 instance on CPU")]
    [InlineData("instance_group { kind: KIND_CPU count: 2 } instance_group { kind: KIND_GPU gpus: [2, 0] }", "2 instances on CPU, 1 instance on GPU 2, 1 instance on GPU 0")]
    public void Devices_WithGpus_AreThoseOfTheGroups(string groups, string expected) => Assert.Equal(expected, Place(groups, TwoGpus));

    [Theory]
    [InlineData("", "1 instance on CPU")]
    [InlineData("backend: 'onnxruntime'", "2 instances on CPU")]
    [InlineData("instance_group { kind: KIND_AUTO count: 3 }", "3 instances on CPU")]
    public void Devices_WithoutGpus_AreTheCpu(string groups, string expected) => Assert.Equal(expected, Place(groups, new GpuSupport([], "no driver")));

    [Theory]
    [InlineData("kind: KIND_GPU", "", "has kind KIND_GPU but server does not support GPUs: no driver; use KIND_CPU or KIND_AUTO")]
    [InlineData("kind: KIND_AUTO gpus: 0", "", "has kind KIND_CPU but specifies one or more GPUs")]
    [InlineData("kind: KIND_GPU gpus: 1", "0,2", "specifies invalid or unsupported gpu id 1. GPUs of this machine are: 0, 2")]
    [InlineData("kind: KIND_GPU gpus: [0, 0]", "0,2", "names a GPU twice: [0, 0]; use count for several instances on one GPU")]
    [InlineData("kind: KIND_CPU gpus: 0", "0,2", "has kind KIND_CPU but specifies one or more GPUs")]
    [InlineData("kind: KIND_GPU count: 513", "0,2", "asks for 1026 instances")]
    public void CheckInstances_WhatCannotBeHad_IsRefused(string group, string numbers, string expected)
    {
        var gpus = new GpuSupport([.. numbers.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)], "no driver");
        var config = Fill($"instance_group {{ {group} }}", gpus);

        Assert.Contains(expected, Assert.Throws<ModelConfigException>(() => ConfigRules.CheckInstances(config, gpus)).Message, StringComparison.Ordinal);
    }

    private static string Place(string groups, GpuSupport gpus)
    {
        var config = Fill(groups, gpus);
        ConfigRules.CheckInstances(config, gpus);
        return InstancePlacement.Text(InstancePlacement.Devices(config));
    }

    private static Protocol.ModelConfig Fill(string text, GpuSupport gpus)
    {
        var config = ModelConfigText.Parse(text, "config.pbtxt");
        config.Name = "model";
        InstancePlacement.Fill(config, gpus);
        return config;
    }
}
