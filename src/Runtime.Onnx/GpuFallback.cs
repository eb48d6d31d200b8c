using Runtime.Devices;
using Runtime.Inference;

namespace Runtime.Onnx;

/// <summary>ONNX Runtime gives operators that a GPU's provider does not take to the CPU without a word.</summary>
internal static class GpuFallback
{
    private const string CpuProvider = "CPUExecutionProvider";

    /// <summary>What to tell of operators on the CPU; null for none.</summary>
    /// <exception cref="InferenceException">All of them are.</exception>
    public static string? Check(IReadOnlyList<(string Provider, string Operator)> assignments, string modelName, Device device)
    {
        var fallen = assignments.Where(assignment => assignment.Provider == CpuProvider).ToArray();
        if (fallen.Length == 0)
        {
            return null;
        }

        var kinds = fallen.GroupBy(assignment => assignment.Operator)
            .OrderByDescending(kind => kind.Count())
            .ThenBy(kind => kind.Key, StringComparer.Ordinal)
            .Select(kind => kind.Count() > 1 ? $"{kind.Key} x{kind.Count()}" : kind.Key);
        var list = string.Join(", ", kinds);
        return fallen.Length < assignments.Count
            ? $"model '{modelName}' on {device}: {fallen.Length} of {assignments.Count} operators run on the CPU: {list}"
            : throw new InferenceException(
                ErrorCode.Unsupported, $"no operator of model '{modelName}' can run on {device}, all {assignments.Count} fall to the CPU: {list}; use KIND_CPU");
    }
}
