using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Runtime.Devices;
using Runtime.Host.Tests.Concurrency;
using Runtime.Host.Tests.Grpc;
using Runtime.Host.Tests.Lifecycle;
using Runtime.Protocol;

namespace Runtime.Host.Tests.SharedMemory;

/// <summary>A process with 16 bytes of a GPU's memory, that it shares.</summary>
internal sealed class CudaClient(RunningHost host, Protocols protocol, CudaDevice device, CudaEchoBackend backend) : IAsyncDisposable
{
    private const int Size = 16;

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
