namespace Runtime.Schemas;

/// <summary>The words in an <see cref="Inference.ErrorDetail.Code"/>.</summary>
public static class FaultCodes
{
    /// <summary>A required input, or what makes an input one, is not there.</summary>
    public const string Missing = "missing";

    /// <summary>The model has no such input.</summary>
    public const string Unknown = "unknown";

    /// <summary>An element is of another kind: a string for a number, a fraction for an integer.</summary>
    public const string WrongType = "wrong_type";

    /// <summary>An element is a number that the datatype does not hold.</summary>
    public const string OutOfRange = "out_of_range";

    /// <summary>There are more or fewer elements, or bytes, than the shape has.</summary>
    public const string WrongLength = "wrong_length";

    /// <summary>The shape is none of those that the input may have.</summary>
    public const string WrongShape = "wrong_shape";

    /// <summary>Null stands where a value must.</summary>
    public const string Null = "null";

    /// <summary>An object stands among elements, or arrays are nested deeper than the shape.</summary>
    public const string WrongNesting = "wrong_nesting";

    /// <summary>The request declares another datatype.</summary>
    public const string WrongDatatype = "wrong_datatype";

    /// <summary>An input is there more than once.</summary>
    public const string Duplicate = "duplicate";
}
