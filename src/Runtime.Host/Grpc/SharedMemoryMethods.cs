using Runtime.Host.Http;
using Runtime.Host.SharedMemory;
using Runtime.Protocol;

namespace Runtime.Host.Grpc;

/// <summary>The shared memory extensions, of system memory and of CUDA memory.</summary>
internal sealed class SharedMemoryMethods(SharedMemoryRegions regions)
{
    private const ApiGroup Group = ApiGroup.SharedMemory;

    public IEnumerable<GrpcMethod> Methods =>
    [
        InferenceService.Sync<SystemSharedMemoryStatusRequest, SystemSharedMemoryStatusResponse>(
            "SystemSharedMemoryStatus", Group, SystemSharedMemoryStatusRequest.Parser, Status),
        InferenceService.Sync<SystemSharedMemoryRegisterRequest, SystemSharedMemoryRegisterResponse>(
            "SystemSharedMemoryRegister", Group, SystemSharedMemoryRegisterRequest.Parser, Register),
        InferenceService.Sync<SystemSharedMemoryUnregisterRequest, SystemSharedMemoryUnregisterResponse>(
            "SystemSharedMemoryUnregister", Group, SystemSharedMemoryUnregisterRequest.Parser, Unregister),
        InferenceService.Sync<CudaSharedMemoryStatusRequest, CudaSharedMemoryStatusResponse>(
            "CudaSharedMemoryStatus", Group, CudaSharedMemoryStatusRequest.Parser, CudaStatus),
        InferenceService.Sync<CudaSharedMemoryRegisterRequest, CudaSharedMemoryRegisterResponse>(
            "CudaSharedMemoryRegister", Group, CudaSharedMemoryRegisterRequest.Parser, CudaRegister),
        InferenceService.Sync<CudaSharedMemoryUnregisterRequest, CudaSharedMemoryUnregisterResponse>(
            "CudaSharedMemoryUnregister", Group, CudaSharedMemoryUnregisterRequest.Parser, CudaUnregister),
    ];

    private Reply<SystemSharedMemoryStatusResponse> Status(SystemSharedMemoryStatusRequest request)
    {
        if (regions.TryList(request.Name, out var found) is { } error)
        {
            return error;
        }

        var response = new SystemSharedMemoryStatusResponse();
        foreach (var region in found)
        {
            response.Regions[region.Name] = new SystemSharedMemoryStatusResponse.Types.RegionStatus
            {
                Name = region.Name,
                Key = region.Key,
                Offset = region.Offset,
                ByteSize = region.ByteSize,
            };
        }

        return response;
    }

    private Reply<SystemSharedMemoryRegisterResponse> Register(SystemSharedMemoryRegisterRequest request)
        => regions.TryRegister(new SharedMemoryRegion(request.Name, request.Key, request.Offset, request.ByteSize)) is { } error
            ? error
            : new SystemSharedMemoryRegisterResponse();

    private Reply<SystemSharedMemoryUnregisterResponse> Unregister(SystemSharedMemoryUnregisterRequest request)
        => regions.TryUnregister(request.Name) is { } error ? error : new SystemSharedMemoryUnregisterResponse();

    private Reply<CudaSharedMemoryStatusResponse> CudaStatus(CudaSharedMemoryStatusRequest request)
    {
        if (regions.TryListCuda(request.Name, out var found) is { } error)
        {
            return error;
        }

        var response = new CudaSharedMemoryStatusResponse();
        foreach (var region in found)
        {
            response.Regions[region.Name] = new CudaSharedMemoryStatusResponse.Types.RegionStatus
            {
                Name = region.Name,
                DeviceId = (ulong)region.DeviceId,
                ByteSize = region.ByteSize,
            };
        }

        return response;
    }

    private Reply<CudaSharedMemoryRegisterResponse> CudaRegister(CudaSharedMemoryRegisterRequest request)
        => regions.TryRegister(new CudaMemoryRegion(request.Name, request.DeviceId, request.ByteSize), request.RawHandle.Memory) is { } error
            ? error
            : new CudaSharedMemoryRegisterResponse();

    // Clients call this before anything else, GPU or not: forgetting what was never there succeeds.
    private Reply<CudaSharedMemoryUnregisterResponse> CudaUnregister(CudaSharedMemoryUnregisterRequest request)
        => regions.TryUnregisterCuda(request.Name) is { } error ? error : new CudaSharedMemoryUnregisterResponse();
}
