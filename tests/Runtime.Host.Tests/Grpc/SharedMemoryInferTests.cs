using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

public sealed class SharedMemoryInferTests : IDisposable
{
    private const string ModelInfer = GrpcClient.Inference + "ModelInfer";

    private readonly string _key = $"/grpc-test-{Guid.NewGuid():N}";

    public SharedMemoryInferTests() => File.WriteAllBytes(Path, (byte[])[.. TestRequests.Bytes(5, 6), .. new byte[8]]);

    private string Path => "/dev/shm" + _key;

    [Fact]
    public async Task ModelInfer_InputAndOutputInARegion_MovesNoTensorOverTheWire()
    {
        await using var host = await StartAsync();
        var request = Request(inputOffset: 0, inputSize: 8, outputSize: 8);

        var response = (await host.Client.CallAsync(ModelInfer, request)).Read(ModelInferResponse.Parser);

        Assert.Equal([ByteString.Empty], response.RawOutputContents);
        Assert.Equal("region", response.Outputs[0].Parameters["shared_memory_region"].StringParam);
        Assert.Equal(TestRequests.Bytes(5, 6, 5, 6), await File.ReadAllBytesAsync(Path));
    }

    [Fact]
    public async Task ModelInfer_WrongPlaces_AreRefused()
    {
        await using var host = await StartAsync();
        (await host.Client.CallAsync(ModelInfer, Request(0, 8, outputSize: 4))).AssertFails(GrpcStatusCode.Internal, "at least 8 bytes");
        (await host.Client.CallAsync(ModelInfer, Request(0, 4, 8))).AssertFails(GrpcStatusCode.InvalidArgument, "Expected 8, got 4");
        (await host.Client.CallAsync(ModelInfer, Request(12, 8, 8))).AssertFails(GrpcStatusCode.InvalidArgument, "'region'");
        (await host.Client.CallAsync(ModelInfer, Request(-1, 8, 8))).AssertFails(GrpcStatusCode.InvalidArgument, "shared_memory_offset");

        var unknown = Request(0, 8, 8);
        unknown.Inputs[0].Parameters["shared_memory_region"].StringParam = "nosuch";
        (await host.Client.CallAsync(ModelInfer, unknown)).AssertFails(GrpcStatusCode.NotFound, "'nosuch'");

        var both = Request(0, 8, 8);
        both.Inputs[0].Contents = new InferTensorContents();
        (await host.Client.CallAsync(ModelInfer, both)).AssertFails(GrpcStatusCode.InvalidArgument, "'X'");
    }

    [Fact]
    public async Task Status_RegisteredRegion_IsListedUntilUnregistered()
    {
        await using var host = await StartAsync();
        Assert.Equal(16ul, (await StatusAsync()).Regions["region"].ByteSize);
        (await host.Client.CallAsync(GrpcClient.Inference + "SystemSharedMemoryUnregister", new SystemSharedMemoryUnregisterRequest())).Read(SystemSharedMemoryUnregisterResponse.Parser);
        Assert.Empty((await StatusAsync()).Regions);

        async Task<SystemSharedMemoryStatusResponse> StatusAsync()
            => (await host.Client.CallAsync(GrpcClient.Inference + "SystemSharedMemoryStatus", new SystemSharedMemoryStatusRequest())).Read(SystemSharedMemoryStatusResponse.Parser);
    }

    [Fact]
    public async Task CudaUnregister_NothingRegistered_Succeeds()
    {
        await using var host = await StartAsync();
        foreach (var name in (string[])["", "nosuch"])
        {
            (await host.Client.CallAsync(GrpcClient.Inference + "CudaSharedMemoryUnregister", new CudaSharedMemoryUnregisterRequest { Name = name })).Read(CudaSharedMemoryUnregisterResponse.Parser);
        }

        (await host.Client.CallAsync(GrpcClient.Inference + "CudaSharedMemoryRegister", new CudaSharedMemoryRegisterRequest { Name = "a" })).AssertFails(GrpcStatusCode.InvalidArgument, "GPUs not supported");
    }

    public void Dispose() => File.Delete(Path);

    private async Task<GrpcHost> StartAsync()
    {
        var host = await GrpcHost.StartAsync();
        var region = new SystemSharedMemoryRegisterRequest { Name = "region", Key = _key, ByteSize = 16 };
        (await host.Client.CallAsync(GrpcClient.Inference + "SystemSharedMemoryRegister", region)).Read(SystemSharedMemoryRegisterResponse.Parser);
        return host;
    }

    /// <summary>The model <c>echo</c> from a place in the region to its second half.</summary>
    private static ModelInferRequest Request(long inputOffset, long inputSize, long outputSize)
    {
        var request = TestRequests.Infer("echo", 0, 0);
        request.RawInputContents.Clear();
        Place(request.Inputs[0].Parameters, inputOffset, inputSize);
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "Y" };
        Place(output.Parameters, 8, outputSize);
        request.Outputs.Add(output);
        return request;
    }

    private static void Place(IDictionary<string, InferParameter> parameters, long offset, long size)
    {
        parameters["shared_memory_region"] = new InferParameter { StringParam = "region" };
        parameters["shared_memory_offset"] = new InferParameter { Int64Param = offset };
        parameters["shared_memory_byte_size"] = new InferParameter { Int64Param = size };
    }
}
