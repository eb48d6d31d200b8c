using System.Text;

namespace Runtime.Models.Configuration;

/// <summary>Cuts the protobuf text format into tokens, one ahead. Adjacent strings are one token, comments are none.</summary>
internal sealed class TextScanner
{
    private const string Symbols = "{}[]<>:,;-";

    private readonly string _text;
    private readonly string _fileName;
    private int _position;
    private int _line = 1;
    private int _lineStart;

    public TextScanner(string text, string fileName)
    {
        _text = text;
        _fileName = fileName;
        _position = text.StartsWith('\uFEFF') ? 1 : 0;
        _lineStart = _position;
        Advance();
    }

    /// <summary>The token that is read next.</summary>
    public TextToken Current { get; private set; }

    public TextToken Take()
    {
        var token = Current;
        Advance();
        return token;
    }

    public bool TryTake(char symbol)
    {
        var fits = Current.IsSymbol(symbol);
        if (fits)
        {
            Advance();
        }

        return fits;
    }

    public ModelConfigException Error(TextToken at, string message) => Error(at.Line, at.Column, message);

    private int Column => _position - _lineStart + 1;

    private char Peek(int ahead = 0) => _position + ahead < _text.Length ? _text[_position + ahead] : '\0';

    private ModelConfigException Error(int line, int column, string message) => new($"{_fileName}:{line}:{column}: {message}");

    private void Advance()
    {
        SkipBlank();
        var (line, column) = (_line, Column);
        if (_position >= _text.Length)
        {
            Current = new(TextTokenKind.End, "", line, column);
            return;
        }

        var character = _text[_position];
        Current = character switch
        {
            '"' or '\'' => new(TextTokenKind.String, ReadStrings(line, column), line, column),
            _ when IsWord(character) && !char.IsAsciiDigit(character) => new(TextTokenKind.Identifier, ReadWord(), line, column),
            _ when char.IsAsciiDigit(character) || (character == '.' && char.IsAsciiDigit(Peek(1))) => new(TextTokenKind.Number, ReadNumber(), line, column),
            _ when Symbols.Contains(character, StringComparison.Ordinal) => new(TextTokenKind.Symbol, _text[_position++].ToString(), line, column),
            _ => throw Error(line, column, $"unexpected character {TextToken.Show(character)}"),
        };
    }

    private static bool IsWord(char character) => char.IsAsciiLetterOrDigit(character) || character == '_';

    private void SkipBlank()
    {
        for (; _position < _text.Length; _position++)
        {
            var character = _text[_position];
            if (character == '\n')
            {
                _line++;
                _lineStart = _position + 1;
            }
            else if (character == '#')
            {
                var end = _text.IndexOf('\n', _position);
                _position = (end < 0 ? _text.Length : end) - 1;
            }
            else if (character is not (' ' or '\t' or '\r' or '\v' or '\f'))
            {
                return;
            }
        }
    }

    private string ReadWord()
    {
        var start = _position;
        while (IsWord(Peek()))
        {
            _position++;
        }

        return _text[start.._position];
    }

    private string ReadNumber()
    {
        var start = _position;
        var isHex = Peek() == '0' && Peek(1) is 'x' or 'X';
        while (IsWord(Peek()) || Peek() == '.' || (!isHex && Peek() is '+' or '-' && _text[_position - 1] is 'e' or 'E'))
        {
            _position++;
        }

        return _text[start.._position];
    }

    private string ReadStrings(int line, int column)
    {
        var bytes = new List<byte>();
        do
        {
            ReadString(bytes);
            SkipBlank();
        }
        while (Peek() is '"' or '\'');

        try
        {
            return TextStrings.Utf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw Error(line, column, "the string is not UTF-8");
        }
    }

    private void ReadString(List<byte> bytes)
    {
        var (line, column) = (_line, Column);
        var quote = _text[_position++];
        while (Peek() != quote)
        {
            if (_position >= _text.Length || Peek() == '\n')
            {
                throw Error(line, column, $"the string is not closed with {quote} on its line");
            }

            var start = (Line: _line, Column);
            if (!TextStrings.TryReadCharacter(_text, ref _position, bytes))
            {
                throw Error(start.Line, start.Column, "the string has an escape or a character that cannot be read");
            }
        }

        _position++;
    }
}
