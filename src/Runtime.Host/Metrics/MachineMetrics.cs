using System.Globalization;

namespace Runtime.Host.Metrics;

/// <summary>How busy the machine is and how full its memory, from <c>/proc</c>; nothing where that is not there. Thread-safe.</summary>
internal sealed class MachineMetrics(string procDirectory = "/proc")
{
    private readonly Lock _gate = new();
    private (long Busy, long Total) _last;

    public void Write(PrometheusText text)
    {
        if (TryReadUtilization(out var utilization))
        {
            text.Begin("nv_cpu_utilization"u8, "gauge"u8, "CPU utilization rate [0.0 - 1.0]"u8);
            text.Sample("nv_cpu_utilization"u8, utilization);
        }

        if (TryReadMemory(out var total, out var used))
        {
            text.Begin("nv_cpu_memory_total_bytes"u8, "gauge"u8, "CPU total memory (RAM), in bytes"u8);
            text.Sample("nv_cpu_memory_total_bytes"u8, total);
            text.Begin("nv_cpu_memory_used_bytes"u8, "gauge"u8, "CPU used memory (RAM), in bytes"u8);
            text.Sample("nv_cpu_memory_used_bytes"u8, used);
        }
    }

    /// <summary>The share of processor time in use since the last reading, or since the machine started.</summary>
    private bool TryReadUtilization(out double utilization)
    {
        utilization = 0;
        var fields = Lines("stat").FirstOrDefault()?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (fields.Length < 6)
        {
            return false;
        }

        // user, nice, system, idle, iowait, irq, softirq and steal; guests are in user and nice already.
        var ticks = fields.Skip(1).Take(8).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        var total = ticks.Sum();
        var busy = total - ticks[3] - ticks[4];
        lock (_gate)
        {
            var (busyBefore, totalBefore) = _last;
            utilization = total > totalBefore ? Math.Clamp((double)(busy - busyBefore) / (total - totalBefore), 0, 1) : 0;
            _last = (busy, total);
        }

        return true;
    }

    private bool TryReadMemory(out double total, out double used)
    {
        (total, used) = (0, 0);
        var available = -1L;
        foreach (var line in Lines("meminfo"))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is ["MemTotal:", var whole, ..])
            {
                total = long.Parse(whole, CultureInfo.InvariantCulture) * 1024;
            }
            else if (fields is ["MemAvailable:", var free, ..])
            {
                available = long.Parse(free, CultureInfo.InvariantCulture) * 1024;
            }
        }

        used = total - available;
        return total > 0 && available >= 0;
    }

    private string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(procDirectory, file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
