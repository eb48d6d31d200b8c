using System.Globalization;
using System.Numerics;

namespace Runtime.Schemas;

/// <summary>A place in a file; line and column count from 1.</summary>
internal readonly record struct SourcePlace(int Line, int Column);

/// <summary>A value as a schema's file writes it, Python or JSON.</summary>
internal abstract record Literal(SourcePlace Place)
{
    private const int LongestShown = 40;

    /// <summary>The value as messages call it: <c>the integer 512</c>, <c>a list</c>.</summary>
    public string Describe() => this switch
    {
        NoneLiteral => "no value",
        BoolLiteral { Value: var value } => value ? "true" : "false",
        IntegerLiteral { Value: var value } => $"the integer {Short(value.ToString(CultureInfo.InvariantCulture))}",
        FloatLiteral { Value: var value } => $"the number {value.ToString("R", CultureInfo.InvariantCulture)}",
        TextLiteral { Value: var value } => $"the string '{Short(value)}'",
        BytesLiteral => "a bytes string",
        ListLiteral => "a list",
        _ => "a dictionary",
    };

    /// <summary>At most the first characters, on one line.</summary>
    internal static string Short(string text)
    {
        var start = text.Length > LongestShown ? text[..(char.IsHighSurrogate(text[LongestShown - 1]) ? LongestShown - 1 : LongestShown)] + "..." : text;
        return string.Concat(start.Select(character => char.IsControl(character) ? ' ' : character));
    }
}

internal sealed record NoneLiteral(SourcePlace Place) : Literal(Place);

internal sealed record BoolLiteral(SourcePlace Place, bool Value) : Literal(Place);

internal sealed record IntegerLiteral(SourcePlace Place, BigInteger Value) : Literal(Place);

internal sealed record FloatLiteral(SourcePlace Place, double Value) : Literal(Place);

internal sealed record TextLiteral(SourcePlace Place, string Value) : Literal(Place);

internal sealed record BytesLiteral(SourcePlace Place, byte[] Value) : Literal(Place);

internal sealed record ListLiteral(SourcePlace Place, IReadOnlyList<Literal> Items) : Literal(Place);

/// <summary>A dictionary's entries in the file's order, equal keys included.</summary>
internal sealed record MapLiteral(SourcePlace Place, IReadOnlyList<KeyValuePair<Literal, Literal>> Entries) : Literal(Place);
