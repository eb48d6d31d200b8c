namespace Runtime.Schemas;

internal enum PythonTokenKind
{
    Name,
    Number,
    String,
    Symbol,

    /// <summary>The end of a logical line: a line's end outside of all brackets.</summary>
    NewLine,

    End,
}

/// <summary>A token; of a string <paramref name="Text"/> is what stands between its quotes, and <paramref name="Prefix"/> the letters before them, in lower case.</summary>
internal readonly record struct PythonToken(PythonTokenKind Kind, string Text, SourcePlace Place, string Prefix = "")
{
    public bool IsSymbol(string symbol) => Kind == PythonTokenKind.Symbol && Text == symbol;

    public bool EndsStatement => Kind is PythonTokenKind.NewLine or PythonTokenKind.End || IsSymbol(";");

    /// <summary>The token as messages call it.</summary>
    public string Describe() => Kind switch
    {
        PythonTokenKind.NewLine => "the end of the line",
        PythonTokenKind.End => "the end of the file",
        PythonTokenKind.String => "a string",
        PythonTokenKind.Number => Literal.Short(Text),
        _ => $"'{Literal.Short(Text)}'",
    };
}
