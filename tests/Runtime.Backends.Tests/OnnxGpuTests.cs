using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Onnx;
using Runtime.Tensors;

namespace Runtime.Backends.Tests;

/// <summary>ONNX models on the first GPU of this machine.</summary>
public sealed class OnnxGpuTests : PoolTest
{
    private static readonly Device Gpu = new(0);

    [GpuTheory]
    [InlineData("simple")]
    [InlineData("identity_fp32")] // which is but a copy
    [InlineData("identity_fp16")]
    [InlineData("nonzero")]
    public void Execute_OnTheGpu_GivesWhatTheCpuGives(string name)
    {
        using var cpu = TestModel.Load(name, maxBatchSize: 8);
        using var gpu = new Loaded(name);
        Assert.Same(CudaDevices.Here.All[0].PageLocked, gpu.Instance.InputMemory);
        for (var batch = 1; batch <= 4; batch++)
        {
            for (var run = 0; run < 3; run++)
            {
                using var inputs = Inputs(gpu.Model, batch, seed: run);
                using var expected = cpu.Execute(inputs);
                using var outputs = gpu.Instance.Execute(inputs, default);
                AssertSame(expected, outputs);
            }
        }
    }

    [GpuFact]
    public void Execute_OutputsThatMayStay_AreOnTheGpuAndFeedTheNextExecution()
    {
        using var gpu = new Loaded("identity_fp32");
        using var inputs = Inputs(gpu.Model, 3);
        inputs.AllowsDeviceOutputs = true;
        using var staying = gpu.Instance.Execute(inputs, default);
        Assert.Equal(Gpu, DeviceMemory.TryGet(staying[0].Data, out _, out _)?.Device);

        using var next = new TensorSet();
        next.Add(staying[0] with { Name = inputs[0].Name });
        using var outputs = gpu.Instance.Execute(next, default);

        Assert.Null(DeviceMemory.TryGet(outputs[0].Data, out _, out _));
        Assert.Equal(inputs[0].Data.ToArray(), outputs[0].Data.ToArray());
        Assert.Equal(inputs[0].Data.ToArray(), staying[0].Data.ToArray());
    }

    [GpuFact]
    public void Execute_WithGraphs_GivesTheSameWhenTheyAreReplayed()
    {
        using var cpu = TestModel.Load("simple", maxBatchSize: 8);
        using var gpu = new Loaded("simple", ("enable_cuda_graph", "1"));
        var seed = 0;
        foreach (var batch in new[] { 1, 4, 1, 4, 1 })
        {
            using var inputs = Inputs(gpu.Model, batch, seed++);
            using var expected = cpu.Execute(inputs);
            using var outputs = gpu.Instance.Execute(inputs, default);
            AssertSame(expected, outputs);
        }
    }

    [GpuFact]
    public void Load_NoOperatorForTheGpu_Fails()
        => Assert.Contains("can run on GPU 0, all 1 fall to the CPU: Identity", Assert.Throws<InferenceException>(() => new Loaded("identity_string").Dispose()).Message, StringComparison.Ordinal);

    [GpuFact]
    public void MemoryUse_AfterAnExecution_CountsTheArena()
    {
        using var gpu = new Loaded("simple");
        using var inputs = Inputs(gpu.Model, 4);
        gpu.Instance.Execute(inputs, default).Dispose();

        var (device, bytes) = Assert.Single(gpu.Model.MemoryUse());
        Assert.Equal(Gpu, device);
        Assert.True(bytes > 0);
    }

    [GpuFact]
    public void Load_AndUnloadAgainAndAgain_GivesTheMemoryBack()
    {
        LoadAndRun();
        var free = CudaDevices.Here.All[0].FreeBytes;
        for (var i = 0; i < 50; i++)
        {
            LoadAndRun();
        }

        Assert.InRange(CudaDevices.Here.All[0].FreeBytes, free - (64 << 20), long.MaxValue);
    }

    private static void LoadAndRun()
    {
        using var gpu = new Loaded("simple");
        using var inputs = Inputs(gpu.Model, 2);
        gpu.Instance.Execute(inputs, default).Dispose();
    }

    private static TensorSet Inputs(ILoadedModel model, int batch, int seed = 0)
    {
        var inputs = new TensorSet();
        foreach (var input in model.Signature!.Inputs)
        {
            long[] shape = [batch, .. input.Shape[1..].Select(dimension => Math.Max(1, dimension))];
            inputs.Rent(input.Name, input.Type, shape, Shapes.ByteSize(input.Type, shape), out var memory);
            for (var i = 0; i < memory.Length; i++)
            {
                memory.Span[i] = (byte)((i + seed) % 61);
            }
        }

        return inputs;
    }

    private static void AssertSame(TensorSet expected, TensorSet actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var tensor in expected.Tensors)
        {
            Assert.Equal(tensor.Shape, actual.Find(tensor.Name)!.Shape);
            Assert.Equal(tensor.Data.ToArray(), actual.Find(tensor.Name)!.Data.ToArray());
        }
    }

    /// <summary>A model of batches of up to 8 with one instance on the GPU.</summary>
    private sealed class Loaded : IDisposable
    {
        public Loaded(string name, params (string Key, string Value)[] parameters)
        {
            var config = TestModel.Configure(name, parameters) with { InstanceDevices = [Gpu] };
            Model = GpuFactAttribute.Backend.Load(config, TestModel.Directory);
            Instance = (IModelInstance)Model.CreateInstance(
                config with { MaxBatchSize = 8, Outputs = [.. Model.Signature!.Outputs.Select(output => new TensorConfig(output.Name, output.Type, output.Shape[1..], null))] }, Gpu);
        }

        public ILoadedModel Model { get; }

        public IModelInstance Instance { get; }

        public void Dispose()
        {
            Instance.Dispose();
            Model.Dispose();
        }
    }
}

/// <summary>A test that needs a GPU, CUDA, and ONNX Runtime's library for it, whose place the variable RUNTIME_ONNX_CUDA_LIBRARY may name.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GpuFactAttribute : FactAttribute
{
    public GpuFactAttribute() => Skip = WhyNot;

    public static string? WhyNot => Backend.Gpus.Numbers.Count > 0 ? null : Backend.Gpus.WhyNone;

    public static OnnxBackend Backend { get; } = new(new OnnxOptions { CudaLibrary = Environment.GetEnvironmentVariable("RUNTIME_ONNX_CUDA_LIBRARY") });
}

/// <inheritdoc cref="GpuFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GpuTheoryAttribute : TheoryAttribute
{
    public GpuTheoryAttribute() => Skip = GpuFactAttribute.WhyNot;
}
