using Runtime.Torch;
using Runtime.Torch.Interop;

namespace Runtime.Backends.Tests.Torch;

/// <summary>A test that needs libtorch; skipped where it is not, but never in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchFactAttribute : FactAttribute
{
    public TorchFactAttribute() => Skip = TorchPresence.WhySkip;
}

/// <inheritdoc cref="TorchFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchTheoryAttribute : TheoryAttribute
{
    public TorchTheoryAttribute() => Skip = TorchPresence.WhySkip;
}

internal static class TorchPresence
{
    public static string? WhySkip { get; } = Environment.GetEnvironmentVariable("CI") == "true" ? null : TorchLibrary.WhyMissing(new TorchOptions());
}
