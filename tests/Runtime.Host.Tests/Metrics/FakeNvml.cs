using System.Runtime.InteropServices;

namespace Runtime.Host.Tests.Metrics;

/// <summary>The library that stands in for NVIDIA's: a machine with two GPUs.</summary>
internal static partial class FakeNvml
{
    private const string Library = "libfake_nvml.so";

    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, Library);

    [LibraryImport(Library, EntryPoint = "fake_nvml_reset")]
    public static partial void Reset();

    /// <summary>Lets functions fail from now on, and no others.</summary>
    public static void Fail(params string[] functions) => FailNamed($",{string.Join(',', functions)},");

    [LibraryImport(Library, EntryPoint = "fake_nvml_use_energy")]
    public static partial void UseEnergy(ulong millijoules);

    /// <summary>How often the GPUs were looked at.</summary>
    [LibraryImport(Library, EntryPoint = "fake_nvml_readings")]
    public static partial int Readings();

    [LibraryImport(Library, EntryPoint = "fake_nvml_fail", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void FailNamed(string names);
}

/// <inheritdoc cref="NvmlFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NvmlTheoryAttribute : TheoryAttribute
{
    public NvmlTheoryAttribute() => Skip = new NvmlFactAttribute().Skip;
}

/// <summary>A test that needs the library, which is there where the build found a C compiler.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NvmlFactAttribute : FactAttribute
{
    public NvmlFactAttribute()
    {
        if (!File.Exists(FakeNvml.Path))
        {
            Skip = "there was no C compiler to build the library that stands in for NVIDIA's";
        }
    }
}
