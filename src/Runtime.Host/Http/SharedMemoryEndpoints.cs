using System.Text.Json;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary><c>/v2/systemsharedmemory[/region/{region}]/status|register|unregister</c>, and the same of <c>/v2/cudasharedmemory</c>.</summary>
internal sealed class SharedMemoryEndpoints(HostOptions options, SharedMemoryRegions regions)
{
    public Task StatusAsync(HttpContext context, string region)
    {
        var error = regions.TryList(region, out var found);
        return error is null ? JsonResponse.WriteAsync(context, found, Write) : HttpErrors.WriteAsync(context, error);
    }

    public Task RegisterAsync(HttpContext context, string region) => RegisterAsync(context, Refusal(region, "system"), request =>
    {
        var wanted = new SharedMemoryRegion(region, "", 0, 0);
        return Read(request, ref wanted) ?? regions.TryRegister(wanted);
    });

    public Task UnregisterAsync(HttpContext context, string region) => JsonResponse.EmptyOrErrorAsync(context, regions.TryUnregister(region));

    public Task CudaStatusAsync(HttpContext context, string region)
    {
        var error = regions.TryListCuda(region, out var found);
        return error is null ? JsonResponse.WriteAsync(context, found, Write) : HttpErrors.WriteAsync(context, error);
    }

    public Task CudaRegisterAsync(HttpContext context, string region) => RegisterAsync(context, Refusal(region, "cuda") ?? regions.NoGpus(region), request =>
    {
        var wanted = new CudaMemoryRegion(region, 0, 0);
        return Read(request, ref wanted, out var handle) ?? regions.TryRegister(wanted, handle);
    });

    public Task CudaUnregisterAsync(HttpContext context, string region) => JsonResponse.EmptyOrErrorAsync(context, regions.TryUnregisterCuda(region));

    private InferenceError? Refusal(string region, string kind)
        => regions.Disabled ?? (region.Length > 0 ? null : InferenceError.InvalidArgument($"'region name' is necessary to register {kind} shared memory region"));

    private async Task RegisterAsync(HttpContext context, InferenceError? refused, Func<JsonRequest, InferenceError?> register)
    {
        if (refused is not null)
        {
            await HttpErrors.WriteAsync(context, refused);
            return;
        }

        var (request, error) = await JsonRequest.ReadAsync(context, options.HttpMaxInputSize, mayBeEmpty: false);
        using (request)
        {
            await JsonResponse.EmptyOrErrorAsync(context, error ?? register(request));
        }
    }

    private static InferenceError? Read(JsonRequest request, ref SharedMemoryRegion region)
    {
        if (!request.TryFind("key", out var value))
        {
            return InferenceError.InvalidArgument("Shared memory register request has no 'key' field");
        }

        var error = JsonValues.TryGetString(value, "key", out var key);
        ulong offset = 0;
        if (error is null && request.TryFind("offset", out value))
        {
            error = JsonValues.TryGetUint64(value, "offset", out offset);
        }

        if (error is not null)
        {
            return error;
        }

        error = TryGetRequired(request, "byte_size", out var byteSize);
        region = region with { Key = key, Offset = offset, ByteSize = byteSize };
        return error;
    }

    private static InferenceError? Read(JsonRequest request, ref CudaMemoryRegion region, out byte[] handle)
    {
        handle = [];
        ulong device = 0;
        if (!request.TryFind("raw_handle", out var raw))
        {
            return InferenceError.InvalidArgument("Shared memory register request has no 'raw_handle' field");
        }

        if (!JsonRequest.TryFind(raw, "b64", out var base64) || base64.ValueKind != JsonValueKind.String || !base64.TryGetBytesFromBase64(out var bytes))
        {
            return InferenceError.InvalidArgument("Unable to parse 'raw_handle': expected an object whose 'b64' is the handle in base64");
        }

        var error = TryGetRequired(request, "byte_size", out var byteSize) ?? TryGetRequired(request, "device_id", out device);
        region = region with { DeviceId = (long)Math.Min(device, long.MaxValue), ByteSize = byteSize };
        handle = bytes;
        return error;
    }

    private static InferenceError? TryGetRequired(JsonRequest request, string name, out ulong value)
    {
        value = 0;
        return request.TryFind(name, out var found)
            ? JsonValues.TryGetUint64(found, name, out value)
            : InferenceError.InvalidArgument($"Shared memory register request has no '{name}' field");
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<CudaMemoryRegion> regions)
    {
        writer.WriteStartArray();
        foreach (var region in regions)
        {
            writer.WriteStartObject();
            writer.WriteString("name", region.Name);
            writer.WriteNumber("device_id", region.DeviceId);
            writer.WriteNumber("byte_size", region.ByteSize);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, IReadOnlyList<SharedMemoryRegion> regions)
    {
        writer.WriteStartArray();
        foreach (var region in regions)
        {
            writer.WriteStartObject();
            writer.WriteString("name", region.Name);
            writer.WriteString("key", region.Key);
            writer.WriteNumber("offset", region.Offset);
            writer.WriteNumber("byte_size", region.ByteSize);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
