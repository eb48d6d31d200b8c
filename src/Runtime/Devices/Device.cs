using System.Globalization;

namespace Runtime.Devices;

/// <summary>Where an instance runs: the processor, or the GPU of that number as CUDA counts them.</summary>
/// <param name="Gpu">The GPU's number; null for the processor.</param>
public sealed record Device(int? Gpu)
{
    public static Device Cpu { get; } = new((int?)null);

    public bool IsGpu => Gpu is not null;

    /// <summary>As messages show it: <c>CPU</c> or <c>GPU 0</c>.</summary>
    public override string ToString() => Gpu is { } number ? string.Create(CultureInfo.InvariantCulture, $"GPU {number}") : "CPU";
}

/// <summary>The GPUs on which a backend can run models.</summary>
/// <param name="Numbers">Their numbers, ascending; empty for none.</param>
/// <param name="WhyNone">Where there are none, the reason: part of a sentence that messages end with.</param>
public sealed record GpuSupport(IReadOnlyList<int> Numbers, string WhyNone)
{
    /// <summary>Of a backend whose models never run on a GPU.</summary>
    public static GpuSupport Never { get; } = new([], "its backend runs on the CPU only");
}
