using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>One input of a schema.</summary>
/// <param name="Name">Unique in its schema.</param>
/// <param name="Type">The element type; BYTES for text too.</param>
/// <param name="IsText">Whether the file says STRING, not BYTES; requests may say either.</param>
/// <param name="Shape">Without a batch dimension; -1 for a length that varies. <c>[1]</c> is a single value. Not to be changed.</param>
/// <param name="Required">Whether every request brings it.</param>
public sealed record SchemaInput(string Name, DataType Type, bool IsText, long[] Shape, bool Required)
{
    /// <summary>
    /// The example's elements, row-major: <see cref="bool"/>, <see cref="long"/>, <see cref="ulong"/>, <see cref="double"/> or
    /// <see cref="string"/> as the datatype asks; null where there is none, or none that fits.
    /// </summary>
    public IReadOnlyList<object>? Example { get; init; }

    /// <summary>Whether a request brings a single value.</summary>
    public bool IsSingle => Shape is [1];

    /// <summary>The datatype as the schema names it.</summary>
    public string TypeName => IsText ? "STRING" : Type.Name();
}
