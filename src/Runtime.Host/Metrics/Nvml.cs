using System.Runtime.InteropServices;

namespace Runtime.Host.Metrics;

/// <summary>NVIDIA's management library: what it says of the machine's GPUs. What it lacks or refuses is null.</summary>
internal sealed unsafe class Nvml
{
    public const string LibraryName = "libnvidia-ml.so.1";

    private const int Success = 0;
    private const int UuidSize = 96;

    private readonly nint _library;
    private readonly nint _utilization;
    private readonly nint _memory;
    private readonly nint _memoryV2;
    private readonly nint _power;
    private readonly nint[] _powerLimits;
    private readonly nint _energy;

    private Nvml(nint library)
    {
        _library = library;
        _utilization = Find("nvmlDeviceGetUtilizationRates");
        _memory = Find("nvmlDeviceGetMemoryInfo");
        _memoryV2 = Find("nvmlDeviceGetMemoryInfo_v2");
        _power = Find("nvmlDeviceGetPowerUsage");
        _powerLimits = [Find("nvmlDeviceGetEnforcedPowerLimit"), Find("nvmlDeviceGetPowerManagementLimit")];
        _energy = Find("nvmlDeviceGetTotalEnergyConsumption");
    }

    /// <summary>Loads and initializes the library, for the rest of the process; null where it is not there or there is no driver behind it.</summary>
    public static Nvml? TryOpen(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle))
        {
            return null;
        }

        var nvml = new Nvml(handle);
        var initialize = (delegate* unmanaged[Cdecl]<int>)nvml.Find("nvmlInit_v2");
        return initialize is not null && initialize() == Success ? nvml : null;
    }

    /// <summary>The handles of all GPUs of the machine, those too that CUDA does not show this process.</summary>
    public List<nint> Devices()
    {
        var devices = new List<nint>();
        var count = (delegate* unmanaged[Cdecl]<uint*, int>)Find("nvmlDeviceGetCount_v2");
        var find = (delegate* unmanaged[Cdecl]<uint, nint*, int>)Find("nvmlDeviceGetHandleByIndex_v2");
        uint number = 0;
        if (count is null || find is null || count(&number) != Success)
        {
            return devices;
        }

        for (uint i = 0; i < number; i++)
        {
            nint device;
            if (find(i, &device) == Success)
            {
                devices.Add(device);
            }
        }

        return devices;
    }

    public string? Uuid(nint device)
    {
        var get = (delegate* unmanaged[Cdecl]<nint, byte*, uint, int>)Find("nvmlDeviceGetUUID");
        var text = stackalloc byte[UuidSize];
        return get is not null && get(device, text, UuidSize) == Success ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    /// <summary>Bytes; those that the driver keeps for itself count as used only where the library is too old to tell them apart.</summary>
    public (ulong Total, ulong Used)? Memory(nint device)
    {
        var v2 = new MemoryV2 { Version = (uint)sizeof(MemoryV2) | (2 << 24) };
        if (_memoryV2 != 0 && ((delegate* unmanaged[Cdecl]<nint, MemoryV2*, int>)_memoryV2)(device, &v2) == Success)
        {
            return (v2.Total, v2.Used);
        }

        MemoryV1 v1;
        return _memory != 0 && ((delegate* unmanaged[Cdecl]<nint, MemoryV1*, int>)_memory)(device, &v1) == Success ? (v1.Total, v1.Used) : null;
    }

    /// <summary>Percent of the time in which something ran.</summary>
    public uint? Utilization(nint device)
    {
        Rates rates;
        return _utilization != 0 && ((delegate* unmanaged[Cdecl]<nint, Rates*, int>)_utilization)(device, &rates) == Success ? rates.Gpu : null;
    }

    public uint? PowerMilliwatts(nint device) => Read<uint>(_power, device);

    public uint? PowerLimitMilliwatts(nint device)
    {
        foreach (var function in _powerLimits)
        {
            if (Read<uint>(function, device) is { } limit)
            {
                return limit;
            }
        }

        return null;
    }

    /// <summary>Since the driver was loaded.</summary>
    public ulong? EnergyMillijoules(nint device) => Read<ulong>(_energy, device);

    private static T? Read<T>(nint function, nint device)
        where T : unmanaged
    {
        T value;
        return function != 0 && ((delegate* unmanaged[Cdecl]<nint, T*, int>)function)(device, &value) == Success ? value : null;
    }

    private nint Find(string name) => NativeLibrary.TryGetExport(_library, name, out var address) ? address : 0;

    private struct Rates
    {
        public uint Gpu;
        public uint Memory;
    }

    private struct MemoryV1
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    private struct MemoryV2
    {
        public uint Version;
        public ulong Total;
        public ulong Reserved;
        public ulong Free;
        public ulong Used;
    }
}
