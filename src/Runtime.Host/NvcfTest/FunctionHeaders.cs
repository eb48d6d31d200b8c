using System.Globalization;
using Runtime.Host.Nvcf;

namespace Runtime.Host.NvcfTest;

/// <summary>The headers that the platform puts on a request to a function.</summary>
internal static class FunctionHeaders
{
    public static IEnumerable<(string Name, string Value)> Of(Invocation invocation, string requestId, RequestDirectories directories, TimeSpan pollLimit)
    {
        var values = Values(invocation, requestId, directories, pollLimit);
        foreach (var name in NvcfHeaders.Names.Where(name => values[name].Length > 0))
        {
            yield return (invocation.HasLowerCaseHeaders ? name.ToLowerInvariant() : name, values[name]);
        }

        foreach (var header in invocation.Headers)
        {
            yield return header;
        }
    }

    /// <summary>What the platform puts into the environment of a function.</summary>
    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string>
    {
        ["NVCF_BACKEND"] = "local",
        ["NVCF_ENV"] = "local",
        ["NVCF_FUNCTION_ID"] = "00000000-0000-4000-8000-000000000001",
        ["NVCF_FUNCTION_NAME"] = "nvcf-test",
        ["NVCF_FUNCTION_VERSION_ID"] = "00000000-0000-4000-8000-000000000002",
        ["NVCF_INSTANCETYPE"] = "local",
        ["NVCF_INSTANCETYPE_VALUE"] = "local",
        ["NVCF_NCA_ID"] = "nvcf-test-organization",
        ["NVCF_REGION"] = "local",
    };

    private static Dictionary<string, string> Values(Invocation invocation, string requestId, RequestDirectories directories, TimeSpan pollLimit) => new(StringComparer.OrdinalIgnoreCase)
    {
        [NvcfHeaders.RequestId] = requestId,
        ["NVCF-SUB"] = "nvcf-test-subject",
        ["NVCF-NCAID"] = Environment["NVCF_NCA_ID"],
        ["NVCF-FUNCTION-NAME"] = Environment["NVCF_FUNCTION_NAME"],
        ["NVCF-FUNCTION-ID"] = Environment["NVCF_FUNCTION_ID"],
        ["NVCF-FUNCTION-VERSION-ID"] = Environment["NVCF_FUNCTION_VERSION_ID"],
        [NvcfHeaders.AssetDirectory] = directories.ContainerInput,
        [NvcfHeaders.OutputDirectory] = directories.ContainerOutput,
        [NvcfHeaders.MaxResponseSize] = invocation.MaxResponseByteSize.ToString(CultureInfo.InvariantCulture),
        ["NVCF-NSPECTID"] = "NSPECT-0000-0000",
        ["NVCF-BACKEND"] = "local",
        ["NVCF-INSTANCETYPE"] = "local",
        ["NVCF-REGION"] = "local",
        ["NVCF-ENV"] = "local",
        [NvcfHeaders.AssetIds] = invocation.AssetIds,
        ["NVCF-INVOCATION-REGION"] = "local",
        ["nvcf-poll-seconds"] = ((int)Math.Ceiling(pollLimit.TotalSeconds)).ToString(CultureInfo.InvariantCulture),
    };
}
