using Microsoft.ML.OnnxRuntime;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Onnx;
using Runtime.Tensors;
using Runtime.Tests.Native;

namespace Runtime.Backends.Tests;

/// <summary>What sessions on GPUs need, as far as it can be seen without one.</summary>
public sealed class GpuSessionTests : PoolTest
{
    private const string Cpu = "CPUExecutionProvider";
    private const string Cuda = "CUDAExecutionProvider";

    [Fact]
    public void Check_AllOnTheGpu_SaysNothing() => Assert.Null(GpuFallback.Check([(Cuda, "Add")], "m", new Device(0)));

    [Fact]
    public void Check_SomeOnTheCpu_CountsThemByKind() => Assert.Equal(
        "model 'm' on GPU 1: 4 of 5 operators run on the CPU: Loop x2, Add, NonZero",
        GpuFallback.Check([(Cpu, "Loop"), (Cpu, "NonZero"), (Cuda, "Add"), (Cpu, "Add"), (Cpu, "Loop")], "m", new Device(1)));

    [Fact]
    public void Check_AllOnTheCpu_Throws() => Assert.Equal(
        "no operator of model 'm' can run on GPU 0, all 2 fall to the CPU: Loop x2; use KIND_CPU",
        Assert.Throws<InferenceException>(() => GpuFallback.Check([(Cpu, "Loop"), (Cpu, "Loop")], "m", new Device(0))).Message);

    [Fact]
    public void Assignments_OfASessionThatRecordsThem_NameProviderAndOperator()
    {
        _ = new OnnxBackend().Started();
        using var options = new SessionOptions();
        options.AddSessionConfigEntry("session.record_ep_graph_assignment_info", "1");
        using var session = new InferenceSession(Path.Combine(TestModel.Directory, "simple.onnx"), options);

        var assignments = OrtNative.Assignments(session);

        Assert.NotNull(assignments);
        Assert.Equal([(Cpu, "Add"), (Cpu, "Sub")], assignments.Order());
    }

    [Fact]
    public void Assignments_OfAnotherSession_AreUnknown()
    {
        _ = new OnnxBackend().Started();
        using var session = new InferenceSession(Path.Combine(TestModel.Directory, "simple.onnx"));

        Assert.Null(OrtNative.Assignments(session));
    }

    [Fact]
    public void AllocatedBytes_OfAnArena_AreCounted()
    {
        _ = new OnnxBackend().Started();
        using var options = new SessionOptions { EnableCpuMemArena = true };
        using var session = new InferenceSession(Path.Combine(TestModel.Directory, "simple.onnx"), options);
        using var info = new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.ArenaAllocator, 0, OrtMemType.Default);
        using var allocator = new OrtAllocator(session, info);
        using var allocation = allocator.Allocate(1 << 20);

        Assert.True(OrtNative.AllocatedBytes(allocator) >= 1 << 20);
    }

    [Theory]
    [InlineData("simple", true, "")]
    [InlineData("simple", false, "CUDA graphs need fixed shapes of elements of fixed size, but input 'INPUT0' of model 'simple' is INT32 of shape [-1,16]; do without graphs")]
    [InlineData("identity_string", true, "CUDA graphs need fixed shapes of elements of fixed size, but input 'IN' of model 'identity_string' is BYTES of shape [-1,-1]; do without graphs")]
    public void CheckShapes_AllButTheBatch_MustBeFixed(string name, bool isBatching, string expected)
    {
        using var sessions = new OnnxSessions(TestModel.Configure(name), new OnnxFile(Path.Combine(TestModel.Directory, name + ".onnx"), name), new OnnxBackend().Started());
        using var model = new OnnxModel(sessions);

        var exception = Record.Exception(() => CudaGraphs.CheckShapes(model, TestModel.Configure(name) with { MaxBatchSize = isBatching ? 8 : 0 }));

        Assert.Equal(expected, exception?.Message ?? "");
    }

    [Fact]
    public void Take_InstancesOnTheCpu_ShareTheSession()
    {
        var config = TestModel.Configure("simple");
        using var sessions = new OnnxSessions(config, new OnnxFile(Path.Combine(TestModel.Directory, "simple.onnx"), "simple.onnx"), new OnnxBackend().Started());

        Assert.Same(sessions.First, sessions.Take(Device.Cpu));
        Assert.Same(sessions.First, sessions.Take(Device.Cpu));
        Assert.Empty(sessions.MemoryUse());
    }

    [FakeCudaFact]
    public void AddressOf_MisalignedSlice_IsCopiedOnTheGpu()
    {
        using var cuda = new FakeCuda();
        var gpu = cuda.First();
        using var device = new SessionDevice(gpu);
        using IDisposable owner = gpu.Allocate(3000);
        var memory = (CudaMemory)owner;
        var pad = (int)((256 - (memory.Address % 256)) % 256);
        gpu.CopyToDevice(Enumerable.Range(0, 3000).Select(i => (byte)i).ToArray(), memory.Address);
        using var scratch = new TensorSet();

        Assert.Equal(memory.Address + pad, device.AddressOf(new Tensor("X", DataType.Uint8, [9], memory.Memory.Slice(pad, 9)), scratch));
        Assert.Equal(0, scratch.Count);

        var copied = device.AddressOf(new Tensor("X", DataType.Uint8, [3], memory.Memory.Slice(pad + 4, 3)), scratch);
        var bytes = new byte[3];
        gpu.CopyToHost(copied, bytes);
        Assert.Equal([(byte)(pad + 4), (byte)(pad + 5), (byte)(pad + 6)], bytes);
        Assert.Equal(1, scratch.Count);
        Assert.Equal(0, device.AddressOf(new Tensor("X", DataType.Uint8, [3], new byte[3]), scratch));
    }

    [FakeCudaFact]
    public void IsDirect_InputsOnTheGpuOrOutputsThatMayStay()
    {
        using var cuda = new FakeCuda();
        using var device = new SessionDevice(cuda.First());
        using var cpu = new SessionDevice(null);
        using var host = new TensorSet().With("X", DataType.Int32, [1], 1);
        using var staying = new TensorSet { AllowsDeviceOutputs = true };
        using IDisposable first = cuda.First().Allocate(4);
        using IDisposable second = cuda.Open().All[1].Allocate(4);
        using var here = new TensorSet();
        here.Add(new Tensor("X", DataType.Int32, [1], ((CudaMemory)first).Memory));
        using var elsewhere = new TensorSet();
        elsewhere.Add(new Tensor("X", DataType.Int32, [1], ((CudaMemory)second).Memory));

        Assert.Equal([false, true, true, false], new[] { host, staying, here, elsewhere }.Select(device.IsDirect));
        Assert.Equal([false, false, false, false], new[] { host, staying, here, elsewhere }.Select(cpu.IsDirect));
    }

    [Theory]
    [InlineData("[ErrorCode:Fail] Non-zero status code returned while running Conv node. CUDA failure 700: an illegal memory access was encountered ; GPU=0", ErrorCode.Internal, true)]
    [InlineData("[ErrorCode:Fail] CUDA failure 719: unspecified launch failure ; GPU=0", ErrorCode.Internal, true)]
    [InlineData("[ErrorCode:Fail] CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED_CUDART", ErrorCode.Internal, true)]
    [InlineData("[ErrorCode:Fail] cudaErrorECCUncorrectable", ErrorCode.Internal, true)]
    [InlineData("[ErrorCode:Fail] CUDA failure 2: out of memory ; GPU=0", ErrorCode.Internal, false)]
    [InlineData("[ErrorCode:RuntimeException] bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 99", ErrorCode.Internal, false)]
    [InlineData("[ErrorCode:InvalidArgument] Got invalid dimensions for input: 700", ErrorCode.InvalidArgument, false)]
    public void AtRun_Message_IsTheRequestsOrTheHostsOrTheProcesss(string message, ErrorCode code, bool isPermanent)
    {
        var error = OnnxErrors.AtRun(message);

        Assert.Equal((code, isPermanent), (error.Code, error.IsPermanent));
    }
}
