using System.Text.Json;
using Runtime.Host.SharedMemory;
using Runtime.Inference;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Http;

/// <summary><c>/v2/systemsharedmemory[/region/{region}]/status|register|unregister</c>, and the same of CUDA memory, of which there is none.</summary>
internal sealed class SharedMemoryEndpoints(HostOptions options, SharedMemoryRegions regions)
{
    public Task StatusAsync(HttpContext context, string region)
    {
        var error = regions.TryList(region, out var found);
        return error is null ? JsonResponse.WriteAsync(context, found, Write) : HttpErrors.WriteAsync(context, error);
    }

    public async Task RegisterAsync(HttpContext context, string region)
    {
        var refused = regions.Disabled ?? (region.Length > 0 ? null : InferenceError.InvalidArgument("'region name' is necessary to register system shared memory region"));
        if (refused is not null)
        {
            await HttpErrors.WriteAsync(context, refused);
            return;
        }

        var (request, error) = await JsonRequest.ReadAsync(context, options.HttpMaxInputSize, mayBeEmpty: false);
        using (request)
        {
            var wanted = new SharedMemoryRegion(region, "", 0, 0);
            error ??= Read(request, ref wanted) ?? regions.TryRegister(wanted);
            await JsonResponse.EmptyOrErrorAsync(context, error);
        }
    }

    public Task UnregisterAsync(HttpContext context, string region) => JsonResponse.EmptyOrErrorAsync(context, regions.TryUnregister(region));

    public static Task CudaStatusAsync(HttpContext context, string region) => region.Length == 0
        ? JsonResponse.WriteAsync<IReadOnlyList<SharedMemoryRegion>>(context, [], Write)
        : HttpErrors.WriteAsync(context, InferenceError.NotFound($"Unable to find cuda shared memory region: '{region}'"));

    public Task CudaRegisterAsync(HttpContext context, string region) => HttpErrors.WriteAsync(context, regions.Disabled ?? InferenceError.InvalidArgument(
        region.Length == 0
            ? "'region name' is necessary to register cuda shared memory region"
            : $"failed to register CUDA shared memory region: '{region}', GPUs not supported"));

    public Task CudaUnregisterAsync(HttpContext context) => JsonResponse.EmptyOrErrorAsync(context, regions.Disabled);

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

        if (!request.TryFind("byte_size", out value))
        {
            return InferenceError.InvalidArgument("Shared memory register request has no 'byte_size' field");
        }

        error = JsonValues.TryGetUint64(value, "byte_size", out var byteSize);
        region = region with { Key = key, Offset = offset, ByteSize = byteSize };
        return error;
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
