namespace Runtime.Host.Metrics;

/// <summary>What one GPU said of itself; null for what it did not say.</summary>
/// <param name="Uuid">Its name in all tools: <c>GPU-</c> and 32 digits.</param>
/// <param name="Memory">Bytes that it has, and bytes in use by all processes.</param>
/// <param name="Utilization">The share of the last moments in which something ran on it, 0 to 1.</param>
/// <param name="PowerWatts">What it draws now.</param>
/// <param name="PowerLimitWatts">The most that it may draw.</param>
/// <param name="EnergyJoules">What it has drawn since the first reading.</param>
internal sealed record GpuReading(string Uuid, (ulong Total, ulong Used)? Memory, double? Utilization, double? PowerWatts, double? PowerLimitWatts, double? EnergyJoules);
