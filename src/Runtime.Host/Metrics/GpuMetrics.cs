namespace Runtime.Host.Metrics;

/// <summary>
/// The GPUs that this process can use, by Triton's names, read from NVIDIA's management library when somebody asks; nothing is
/// loaded before that, and nothing is left where the library is not there. Thread-safe.
/// </summary>
/// <param name="interval">How long a reading is good for.</param>
/// <param name="time">Its clock.</param>
internal sealed class GpuMetrics(TimeSpan interval, TimeProvider time)
{
    /// <summary>A driver that lost a GPU may never answer; the other metrics do not wait for that.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ulong> _firstMillijoules = [];
    private Task<IReadOnlyList<GpuReading>>? _reading;
    private long _readAt;
    private Nvml? _nvml;
    private bool _isOpened;

    /// <summary>The library, by name or path.</summary>
    public string Library { get; init; } = Nvml.LibraryName;

    /// <summary>The identifiers of the GPUs that CUDA shows this process, which may be fewer than the machine has; null where that is not known.</summary>
    public Func<IReadOnlyCollection<string>?> Visible { get; init; } = static () => null;

    /// <summary>The GPUs, as they were at most an interval ago; none while the driver does not answer.</summary>
    public async ValueTask<IReadOnlyList<GpuReading>> ReadAsync()
    {
        var reading = Current();
        if (!reading.IsCompleted)
        {
            await Task.WhenAny(reading, Task.Delay(Patience, time));
        }

        return reading.IsCompletedSuccessfully ? await reading : [];
    }

    public static void Write(PrometheusText text, IReadOnlyList<GpuReading> gpus)
    {
        Write(text, gpus, "nv_gpu_utilization"u8, "GPU utilization rate [0.0 - 1.0)"u8, gpu => gpu.Utilization);
        Write(text, gpus, "nv_gpu_memory_total_bytes"u8, "GPU total memory, in bytes"u8, gpu => gpu.Memory?.Total);
        Write(text, gpus, "nv_gpu_memory_used_bytes"u8, "GPU used memory, in bytes"u8, gpu => gpu.Memory?.Used);
        Write(text, gpus, "nv_gpu_power_usage"u8, "GPU power usage in watts"u8, gpu => gpu.PowerWatts);
        Write(text, gpus, "nv_gpu_power_limit"u8, "GPU power management limit in watts"u8, gpu => gpu.PowerLimitWatts);
        Write(text, gpus, Energy, "GPU energy consumption in joules since this host first read it"u8, gpu => gpu.EnergyJoules);
    }

    private static ReadOnlySpan<byte> Energy => "nv_energy_consumption"u8;

    private static void Write(PrometheusText text, IReadOnlyList<GpuReading> gpus, ReadOnlySpan<byte> name, ReadOnlySpan<byte> help, Func<GpuReading, double?> value)
    {
        var isDeclared = false;
        foreach (var gpu in gpus)
        {
            if (value(gpu) is not { } number)
            {
                continue;
            }

            if (!isDeclared)
            {
                text.Begin(name, name == Energy ? "counter"u8 : "gauge"u8, help);
                isDeclared = true;
            }

            text.Sample(name, "gpu_uuid"u8, gpu.Uuid, number);
        }
    }

    /// <summary>The latest reading while it is good or under way, or else a new one.</summary>
    private Task<IReadOnlyList<GpuReading>> Current()
    {
        lock (_gate)
        {
            if (_reading is null || (_reading.IsCompleted && time.GetElapsedTime(_readAt) >= interval))
            {
                _readAt = time.GetTimestamp();
                _reading = Task.Run(Read);
            }

            return _reading;
        }
    }

    /// <summary>Called by one thread at a time.</summary>
    private IReadOnlyList<GpuReading> Read()
    {
        if (!_isOpened)
        {
            _nvml = Nvml.TryOpen(Library);
            _isOpened = true;
        }

        if (_nvml is null)
        {
            return [];
        }

        var gpus = _nvml.Devices().Select(device => Read(_nvml, device)).OfType<GpuReading>().ToArray();
        if (gpus.Length == 0 || Visible() is not { } visible)
        {
            return gpus;
        }

        // The slices that MIG makes of a GPU have identifiers of their own.
        var shown = gpus.Where(gpu => visible.Contains(gpu.Uuid)).ToArray();
        return shown.Length == 0 && visible.Count > 0 ? gpus : shown;
    }

    private GpuReading? Read(Nvml nvml, nint device)
    {
        if (nvml.Uuid(device) is not { } uuid)
        {
            return null;
        }

        double? joules = null;
        if (nvml.EnergyMillijoules(device) is { } energy)
        {
            _firstMillijoules.TryAdd(uuid, energy);
            joules = (energy - _firstMillijoules[uuid]) / 1000.0;
        }

        return new GpuReading(uuid, nvml.Memory(device), nvml.Utilization(device) / 100.0, nvml.PowerMilliwatts(device) / 1000.0, nvml.PowerLimitMilliwatts(device) / 1000.0, joules);
    }
}
