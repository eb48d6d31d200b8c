namespace Runtime.Inference;

/// <summary>The kinds of value that a request's or response's parameter can have.</summary>
public enum ParameterKind
{
    Bool,
    Int64,
    Uint64,
    Double,
    String,
}

/// <summary>One parameter of a request or response: a bool, a whole number, a double or a string.</summary>
public readonly record struct ParameterValue
{
    private readonly long _bits;
    private readonly string? _text;

    private ParameterValue(ParameterKind kind, long bits, string? text = null)
    {
        Kind = kind;
        _bits = bits;
        _text = text;
    }

    public ParameterKind Kind { get; }

    public bool AsBool => _bits != 0;

    public long AsInt64 => _bits;

    public ulong AsUint64 => (ulong)_bits;

    public double AsDouble => BitConverter.Int64BitsToDouble(_bits);

    public string AsString => _text ?? "";

    public static implicit operator ParameterValue(bool value) => new(ParameterKind.Bool, value ? 1 : 0);

    public static implicit operator ParameterValue(long value) => new(ParameterKind.Int64, value);

    public static implicit operator ParameterValue(ulong value) => new(ParameterKind.Uint64, (long)value);

    public static implicit operator ParameterValue(double value) => new(ParameterKind.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator ParameterValue(string value) => new(ParameterKind.String, 0, value);
}
