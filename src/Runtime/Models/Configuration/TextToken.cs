using System.Globalization;

namespace Runtime.Models.Configuration;

internal enum TextTokenKind
{
    End,
    Identifier,
    Number,
    String,
    Symbol,
}

/// <summary>A token of the protobuf text format; a string's text is its content, line and column count from 1.</summary>
internal readonly record struct TextToken(TextTokenKind Kind, string Text, int Line, int Column)
{
    private const int ShownLength = 40;

    public bool IsSymbol(char symbol) => Kind == TextTokenKind.Symbol && Text[0] == symbol;

    /// <summary>The token as a message shows it.</summary>
    public override string ToString() => Kind switch
    {
        TextTokenKind.End => "the end of the file",
        TextTokenKind.String => $"the string \"{Shorten(Text)}\"",
        _ => $"'{Shorten(Text)}'",
    };

    /// <summary>A character as a message shows it.</summary>
    public static string Show(char character) => character is >= ' ' and < '\u007f'
        ? $"'{character}'"
        : "U+" + ((int)character).ToString("X4", CultureInfo.InvariantCulture);

    private static string Shorten(string text) => text.Length <= ShownLength ? text : text[..ShownLength] + "...";
}
