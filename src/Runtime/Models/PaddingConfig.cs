namespace Runtime.Models;

/// <summary>An input that is padded at the end of one dimension.</summary>
/// <param name="Name">The input's name.</param>
/// <param name="Axis">The dimension's position in the whole shape, a batch dimension included.</param>
/// <param name="Element">The bytes of one element of padding; for BYTES with its length in front.</param>
/// <param name="Like">The input whose length a request must give this one too; null where it has a length of its own.</param>
internal sealed record PaddedInput(string Name, int Axis, byte[] Element, string? Like);

/// <summary>An output that is cut back to a request's own length.</summary>
/// <param name="Name">The output's name.</param>
/// <param name="Axis">The dimension's position in the whole shape, a batch dimension included.</param>
/// <param name="Like">The padded input whose length it has.</param>
internal sealed record PaddedOutput(string Name, int Axis, string Like);

/// <summary>Which dimensions of a model may be padded, and how far: its parameters <c>pad.*</c>, checked.</summary>
/// <param name="Inputs">At least one.</param>
/// <param name="Outputs">Those to cut back; the others go to clients as they are.</param>
/// <param name="Buckets">The lengths to pad to, ascending; empty to pad to the longest of a batch.</param>
internal sealed record PaddingConfig(IReadOnlyList<PaddedInput> Inputs, IReadOnlyList<PaddedOutput> Outputs, IReadOnlyList<long> Buckets)
{
    /// <summary>The smallest bucket that holds the length; the length itself where there are no buckets, or none holds it.</summary>
    public long BucketOf(long length)
    {
        for (var i = 0; i < Buckets.Count; i++)
        {
            if (Buckets[i] >= length)
            {
                return Buckets[i];
            }
        }

        return length;
    }

    /// <summary>How the input of that name is padded; null where it is not.</summary>
    public PaddedInput? Find(string name)
    {
        for (var i = 0; i < Inputs.Count; i++)
        {
            if (Inputs[i].Name == name)
            {
                return Inputs[i];
            }
        }

        return null;
    }
}
