using Runtime.Backends;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Tests.Native;

namespace Runtime.Host.Tests.SharedMemory;

/// <summary>Regions of a GPU's memory over both protocols; the test is the client, and its GPU is the heap.</summary>
public sealed class CudaSharedMemoryTests : IDisposable
{
    private static readonly (string, string)[] Models = [("gpu", "backend: 'cuda_echo'"), ("cpu", "backend: 'identity'"), ("gated", "backend: 'gated'")];

    private readonly GatedBackend _gated = new();
    private readonly FakeCuda _cuda = new();

    public void Dispose() => _cuda.Dispose();

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_ModelOnTheSameGpu_TakesAndGivesInPlace(Protocols protocol)
    {
        await using var test = await StartAsync(protocol);
        test.Fill(1, 2, 3, 4);
        Assert.Equal("", await test.RegisterAsync("r"));

        Assert.Equal("", await test.InferAsync("gpu", inputAt: 4, outputAt: 12));

        Assert.Equal([1, 2, 3, 2], test.Read());
        Assert.Equal(["GPU 0 to GPU 0"], test.Backend.Executions);
        Assert.Equal(1, _cuda.OpenHandles);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_ModelOnTheCpu_ReadsWhatIsThereNow(Protocols protocol)
    {
        await using var test = await StartAsync(protocol);
        Assert.Equal("", await test.RegisterAsync("r"));
        for (var value = 1; value <= 2; value++)
        {
            test.Fill(value, 0, 0, 0);

            Assert.Equal("", await test.InferAsync("cpu", inputAt: 0, outputAt: 8));

            Assert.Equal([value, 0, value, 0], test.Read());
        }
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Register_AndUnregister_IsListedMeanwhile(Protocols protocol)
    {
        await using var test = await StartAsync(protocol);
        Assert.Equal("", await test.RegisterAsync("r"));
        Assert.Equal("", await test.RegisterAsync("s"));

        Assert.Equal("r 0 16,s 0 16", await test.StatusAsync());
        Assert.Equal("s 0 16", await test.StatusAsync("s"));
        Assert.Equal("Unable to find cuda shared memory region: 'x'", await test.StatusAsync("x"));
        Assert.Equal("shared memory region 'r' already in manager", await test.RegisterAsync("r"));

        await test.UnregisterAsync("r");
        Assert.Equal("s 0 16", await test.StatusAsync());
        Assert.Equal(1, _cuda.OpenHandles);
        await test.UnregisterAsync("");
        Assert.Equal("", await test.StatusAsync());
        Assert.Equal(0, _cuda.OpenHandles);
        Assert.Contains("Unable to find shared memory region: 'r'", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Register_WhatCannotBe_IsRefusedWithTheReason(Protocols protocol)
    {
        await using var test = await StartAsync(protocol);
        const string failed = "failed to register CUDA shared memory region 'r': ";

        Assert.Equal(failed + "there is no GPU 2, this host has 2", await test.RegisterAsync("r", device: 2));
        Assert.Equal(failed + "a CUDA memory handle has 64 bytes, got 2", await test.RegisterAsync("r", handle: [1, 2]));
        Assert.StartsWith(failed + "byte size 100000 does not fit the ", await test.RegisterAsync("r", byteSize: 100_000), StringComparison.Ordinal);
        _cuda.Fail("cuIpcOpenMemHandle_v2", 400);
        Assert.Equal(failed + "GPU 0: opening shared memory failed: CUDA error 400", await test.RegisterAsync("r"));
        Assert.Equal(0, _cuda.OpenHandles);

        Assert.Equal("", await test.RegisterAsync("r"));
        Assert.Contains("Invalid offset + byte size for shared memory region: 'r'", await test.InferAsync("cpu", inputAt: 14, outputAt: 0), StringComparison.Ordinal);
        Assert.Contains("Invalid offset + byte size for shared memory region: 'r'", await test.InferAsync("cpu", inputAt: 0, outputAt: 14), StringComparison.Ordinal);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Unregister_RegionInUse_StaysOpenUntilTheAnswer(Protocols protocol)
    {
        await using var test = await StartAsync(protocol);
        test.Fill(5, 0, 0, 0);
        Assert.Equal("", await test.RegisterAsync("r"));
        var answer = test.InferAsync("gated", inputAt: 0, outputAt: null);
        await _gated.EnteredAsync();

        await test.UnregisterAsync("r");

        Assert.Equal(1, _cuda.OpenHandles);
        _gated.Open();
        Assert.Equal("", await answer);
        Assert.Equal([5], _gated.Executed);
        test.Host.Stop();
        Assert.Equal(0, await test.Host.ExitCode);
        Assert.Equal(0, _cuda.OpenHandles);
    }

    [CudaTheory]
    [InlineData(Protocols.Http, "cuMemcpyDtoHAsync_v2")]
    [InlineData(Protocols.Grpc, "cuMemcpyDtoHAsync_v2")]
    [InlineData(Protocols.Http, "cuMemcpyHtoDAsync_v2")]
    [InlineData(Protocols.Grpc, "cuMemcpyHtoDAsync_v2")]
    public async Task Infer_CopyFails_FailsTheRequestAndForGoodTheHost(Protocols protocol, string function)
    {
        await using var test = await StartAsync(protocol);
        Assert.Equal("", await test.RegisterAsync("r"));
        _cuda.Fail(function, 1);
        Assert.Contains("GPU 0: copying failed: CUDA error 1", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);
        Assert.Equal("", await test.InferAsync("cpu", 0, 8));
        Assert.True(test.Host.State.IsReady);

        _cuda.Fail(function, 700);
        Assert.Contains("CUDA_ERROR_ILLEGAL_ADDRESS", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);

        Assert.False(test.Host.State.IsReady);
        Assert.Equal(1, await test.Host.ExitCode);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Register_NoGpu_IsAnsweredAsByABuildWithoutThem(Protocols protocol)
    {
        await using var test = await StartAsync(protocol, gpus: 0);

        Assert.Equal("failed to register CUDA shared memory region: 'r', GPUs not supported", await test.RegisterAsync("r"));
    }

    private async Task<CudaClient> StartAsync(Protocols protocol, int gpus = 2)
    {
        var memory = _cuda.First();
        var backend = new CudaEchoBackend(memory);
        _cuda.SetDevices(gpus);
        var devices = _cuda.Open();
        var host = await RunningHost.StartAsync([backend, new IdentityBackend(), _gated], Models, ServerUnderTest.FreePorts with { AllowClientShm = true }, () => devices);
        return new CudaClient(host, protocol, memory, backend);
    }
}

/// <summary>A theory that needs the library that stands in for CUDA's driver.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute() => Skip = new FakeCudaFactAttribute().Skip;
}
