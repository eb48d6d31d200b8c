namespace Runtime.Models.Configuration;

/// <summary>Which of the versions on disk are served.</summary>
public static class VersionPolicy
{
    /// <summary>The versions to serve, ascending; a policy without a choice is the latest one.</summary>
    /// <param name="policy">The model's policy.</param>
    /// <param name="available">The versions on disk, each once.</param>
    public static IReadOnlyList<long> Select(Protocol.ModelVersionPolicy policy, IEnumerable<long> available)
    {
        var versions = available.ToArray();
        Array.Sort(versions);
        return policy.PolicyChoiceCase switch
        {
            Protocol.ModelVersionPolicy.PolicyChoiceOneofCase.All => versions,
            Protocol.ModelVersionPolicy.PolicyChoiceOneofCase.Specific => [.. versions.Where(policy.Specific.Versions.Contains)],
            _ => versions[Math.Max(0, versions.Length - (int)Math.Clamp(policy.Latest?.NumVersions ?? 1, 1, int.MaxValue))..],
        };
    }
}
