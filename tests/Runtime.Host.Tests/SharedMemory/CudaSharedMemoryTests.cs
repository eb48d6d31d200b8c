using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Protocol;
using Runtime.Tests.Native;

namespace Runtime.Host.Tests.SharedMemory;

/// <summary>Regions of a GPU's memory over both protocols; the test is the client, and its GPU is the heap.</summary>
public sealed class CudaSharedMemoryTests
{
    private const int Size = 16;

    private static readonly (string, string)[] Models = [("gpu", "backend: 'cuda_echo'"), ("cpu", "backend: 'identity'"), ("gated", "backend: 'gated'")];

    private readonly GatedBackend _gated = new();

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_ModelOnTheSameGpu_TakesAndGivesInPlace(Protocols protocol)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
        test.Fill(1, 2, 3, 4);
        Assert.Equal("", await test.RegisterAsync("r"));

        Assert.Equal("", await test.InferAsync("gpu", inputAt: 4, outputAt: 12));

        Assert.Equal([1, 2, 3, 2], test.Read());
        Assert.Equal(["GPU 0 to GPU 0"], test.Backend.Executions);
        Assert.Equal(1, cuda.OpenHandles);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Infer_ModelOnTheCpu_ReadsWhatIsThereNow(Protocols protocol)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
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
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
        Assert.Equal("", await test.RegisterAsync("r"));
        Assert.Equal("", await test.RegisterAsync("s"));

        Assert.Equal("r 0 16,s 0 16", await test.StatusAsync());
        Assert.Equal("s 0 16", await test.StatusAsync("s"));
        Assert.Equal("Unable to find cuda shared memory region: 'x'", await test.StatusAsync("x"));
        Assert.Equal("shared memory region 'r' already in manager", await test.RegisterAsync("r"));

        await test.UnregisterAsync("r");
        Assert.Equal("s 0 16", await test.StatusAsync());
        Assert.Equal(1, cuda.OpenHandles);
        await test.UnregisterAsync("");
        Assert.Equal("", await test.StatusAsync());
        Assert.Equal(0, cuda.OpenHandles);
        Assert.Contains("Unable to find shared memory region: 'r'", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Register_WhatCannotBe_IsRefusedWithTheReason(Protocols protocol)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
        const string failed = "failed to register CUDA shared memory region 'r': ";

        Assert.Equal(failed + "there is no GPU 2, this host has 2", await test.RegisterAsync("r", device: 2));
        Assert.Equal(failed + "a CUDA memory handle has 64 bytes, got 2", await test.RegisterAsync("r", handle: [1, 2]));
        Assert.StartsWith(failed + "byte size 100000 does not fit the ", await test.RegisterAsync("r", byteSize: 100_000), StringComparison.Ordinal);
        cuda.Fail("cuIpcOpenMemHandle_v2", 400);
        Assert.Equal(failed + "GPU 0: opening shared memory failed: CUDA error 400", await test.RegisterAsync("r"));
        Assert.Equal(0, cuda.OpenHandles);

        Assert.Equal("", await test.RegisterAsync("r"));
        Assert.Contains("Invalid offset + byte size for shared memory region: 'r'", await test.InferAsync("cpu", inputAt: 14, outputAt: 0), StringComparison.Ordinal);
        Assert.Contains("Invalid offset + byte size for shared memory region: 'r'", await test.InferAsync("cpu", inputAt: 0, outputAt: 14), StringComparison.Ordinal);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Unregister_RegionInUse_StaysOpenUntilTheAnswer(Protocols protocol)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
        test.Fill(5, 0, 0, 0);
        Assert.Equal("", await test.RegisterAsync("r"));
        var answer = test.InferAsync("gated", inputAt: 0, outputAt: null);
        await _gated.EnteredAsync();

        await test.UnregisterAsync("r");

        Assert.Equal(1, cuda.OpenHandles);
        _gated.Open();
        Assert.Equal("", await answer);
        Assert.Equal([5], _gated.Executed);
        test.Host.Stop();
        Assert.Equal(0, await test.Host.ExitCode);
        Assert.Equal(0, cuda.OpenHandles);
    }

    [CudaTheory]
    [InlineData(Protocols.Http, "cuMemcpyDtoHAsync_v2")]
    [InlineData(Protocols.Grpc, "cuMemcpyDtoHAsync_v2")]
    [InlineData(Protocols.Http, "cuMemcpyHtoDAsync_v2")]
    [InlineData(Protocols.Grpc, "cuMemcpyHtoDAsync_v2")]
    public async Task Infer_CopyFails_FailsTheRequestAndForGoodTheHost(Protocols protocol, string function)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol);
        Assert.Equal("", await test.RegisterAsync("r"));
        cuda.Fail(function, 1);
        Assert.Contains("GPU 0: copying failed: CUDA error 1", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);
        Assert.Equal("", await test.InferAsync("cpu", 0, 8));
        Assert.True(test.Host.State.IsReady);

        cuda.Fail(function, 700);
        Assert.Contains("CUDA_ERROR_ILLEGAL_ADDRESS", await test.InferAsync("cpu", 0, 8), StringComparison.Ordinal);

        Assert.False(test.Host.State.IsReady);
        Assert.Equal(1, await test.Host.ExitCode);
    }

    [CudaTheory]
    [InlineData(Protocols.Http)]
    [InlineData(Protocols.Grpc)]
    public async Task Register_NoGpu_IsAnsweredAsByABuildWithoutThem(Protocols protocol)
    {
        using var cuda = new FakeCuda();
        await using var test = await StartAsync(cuda, protocol, gpus: 0);

        Assert.Equal("failed to register CUDA shared memory region: 'r', GPUs not supported", await test.RegisterAsync("r"));
    }

    private async Task<CudaClient> StartAsync(FakeCuda cuda, Protocols protocol, int gpus = 2)
    {
        var memory = cuda.First();
        var backend = new CudaEchoBackend(memory);
        cuda.SetDevices(gpus);
        var devices = cuda.Open();
        var host = await RunningHost.StartAsync([backend, new IdentityBackend(), _gated], Models, ServerUnderTest.FreePorts with { AllowClientShm = true }, () => devices);
        return new CudaClient(host, protocol, memory, backend);
    }

    /// <summary>A process with 16 bytes of a GPU's memory, that it shares.</summary>
    private sealed class CudaClient(RunningHost host, Protocols protocol, CudaDevice device, CudaEchoBackend backend) : IAsyncDisposable
    {
        private readonly CudaMemory _memory = device.Allocate(Size);

        public RunningHost Host => host;

        public CudaEchoBackend Backend => backend;

        public void Fill(params int[] values) => device.CopyToDevice(TestRequests.Bytes(values), _memory.Address);

        public int[] Read()
        {
            var bytes = new byte[Size];
            device.CopyToHost(_memory.Address, bytes);
            return [.. Enumerable.Range(0, Size / sizeof(int)).Select(i => BitConverter.ToInt32(bytes, i * sizeof(int)))];
        }

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            ((IDisposable)_memory).Dispose();
        }

        public async Task<string> RegisterAsync(string name, long device = 0, byte[]? handle = null, ulong byteSize = Size)
        {
            handle ??= [.. BitConverter.GetBytes((long)_memory.Address), .. new byte[56]];
            if (protocol == Protocols.Http)
            {
                return await PostAsync(
                    $"/v2/cudasharedmemory/region/{name}/register",
                    $$"""{"raw_handle":{"b64":"{{Convert.ToBase64String(handle)}}"},"device_id":{{device}},"byte_size":{{byteSize}}}""");
            }

            var request = new CudaSharedMemoryRegisterRequest { Name = name, RawHandle = ByteString.CopyFrom(handle), DeviceId = device, ByteSize = byteSize };
            return (await host.Grpc.CallAsync(GrpcClient.Inference + "CudaSharedMemoryRegister", request)).Message;
        }

        public async Task UnregisterAsync(string name)
        {
            if (protocol == Protocols.Http)
            {
                Assert.Equal("", await PostAsync(name.Length == 0 ? "/v2/cudasharedmemory/unregister" : $"/v2/cudasharedmemory/region/{name}/unregister", ""));
                return;
            }

            var answer = await host.Grpc.CallAsync(GrpcClient.Inference + "CudaSharedMemoryUnregister", new CudaSharedMemoryUnregisterRequest { Name = name });
            answer.Read(CudaSharedMemoryUnregisterResponse.Parser);
        }

        /// <summary>The regions with device and size, or the error.</summary>
        public async Task<string> StatusAsync(string name = "")
        {
            if (protocol == Protocols.Http)
            {
                using var response = await host.Http.GetAsync(new Uri(name.Length == 0 ? "/v2/cudasharedmemory/status" : $"/v2/cudasharedmemory/region/{name}/status", UriKind.Relative));
                var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
                return answer.ValueKind == JsonValueKind.Array
                    ? string.Join(',', answer.EnumerateArray().Select(region => $"{region.GetProperty("name")} {region.GetProperty("device_id")} {region.GetProperty("byte_size")}"))
                    : answer.GetProperty("error").GetString()!;
            }

            var status = await host.Grpc.CallAsync(GrpcClient.Inference + "CudaSharedMemoryStatus", new CudaSharedMemoryStatusRequest { Name = name });
            return status.Message.Length > 0
                ? status.Message
                : string.Join(',', status.Read(CudaSharedMemoryStatusResponse.Parser).Regions.Values.OrderBy(region => region.Name).Select(region => $"{region.Name} {region.DeviceId} {region.ByteSize}"));
        }

        /// <summary>One INT32 from a place in the region to another; the error, or nothing.</summary>
        public async Task<string> InferAsync(string model, int inputAt, int? outputAt)
        {
            if (protocol == Protocols.Http)
            {
                var output = outputAt is { } at ? $$""","outputs":[{"name":"Y","parameters":{{Place(at)}}}]""" : "";
                return await PostAsync($"/v2/models/{model}/infer", $$"""{"inputs":[{"name":"X","shape":[1],"datatype":"INT32","parameters":{{Place(inputAt)}}}]{{output}}}""");
            }

            var request = TestRequests.Infer(model, 0);
            request.RawInputContents.Clear();
            request.Inputs[0].Shape.RemoveAt(0);
            Place(request.Inputs[0].Parameters, inputAt);
            if (outputAt is { } place)
            {
                request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "Y" });
                Place(request.Outputs[0].Parameters, place);
            }

            return (await host.Grpc.CallAsync(GrpcClient.Inference + "ModelInfer", request)).Message;
        }

        private static string Place(int at) => $$"""{"shared_memory_region":"r","shared_memory_offset":{{at}},"shared_memory_byte_size":4}""";

        private static void Place(IDictionary<string, InferParameter> parameters, int at)
        {
            parameters["shared_memory_region"] = new InferParameter { StringParam = "r" };
            parameters["shared_memory_offset"] = new InferParameter { Int64Param = at };
            parameters["shared_memory_byte_size"] = new InferParameter { Int64Param = sizeof(int) };
        }

        private async Task<string> PostAsync(string path, string body)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await host.Http.PostAsync(new Uri(path, UriKind.Relative), content);
            return response.IsSuccessStatusCode ? "" : (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()!;
        }
    }
}

/// <summary>A theory that needs the library that stands in for CUDA's driver.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CudaTheoryAttribute : TheoryAttribute
{
    public CudaTheoryAttribute() => Skip = new FakeCudaFactAttribute().Skip;
}
