using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>Cuts Python into tokens, one ahead, and sees that brackets match and are not nested too deep. Nothing is evaluated.</summary>
internal sealed class PythonScanner
{
    /// <summary>How deep brackets may be nested.</summary>
    public const int MostDepth = 64;

    /// <summary>How many characters one string may have.</summary>
    public const int LongestString = 512 * 1024;

    private readonly string _text;
    private readonly string _fileName;
    private readonly Stack<(char Bracket, SourcePlace Place)> _open = new();
    private int _position;
    private int _line = 1;
    private int _lineStart;

    public PythonScanner(string text, string fileName)
    {
        _text = text;
        _fileName = fileName;
        Advance();
    }

    /// <summary>The token that is read next.</summary>
    public PythonToken Current { get; private set; }

    public PythonToken Take()
    {
        var token = Current;
        Advance();
        return token;
    }

    public bool TryTake(string symbol)
    {
        var fits = Current.IsSymbol(symbol);
        if (fits)
        {
            Advance();
        }

        return fits;
    }

    public ModelConfigException Error(SourcePlace at, string message) => new($"{_fileName}:{at.Line}:{at.Column}: {message}");

    private SourcePlace Here => new(_line, _position - _lineStart + 1);

    private char Peek(int ahead = 0) => _position + ahead < _text.Length ? _text[_position + ahead] : '\0';

    private void Advance()
    {
        if (Current.Kind == PythonTokenKind.End)
        {
            return;
        }

        SkipBlank();
        var place = Here;
        if (_position >= _text.Length)
        {
            Current = _open.TryPeek(out var open)
                ? throw Error(open.Place, $"'{open.Bracket}' is never closed")
                : new(PythonTokenKind.End, "", place);
            return;
        }

        var character = Peek();
        Current = character switch
        {
            '\n' or '\r' => ReadNewLine(place),
            '"' or '\'' => ReadString("", place),
            _ when char.IsAsciiDigit(character) || (character == '.' && char.IsAsciiDigit(Peek(1))) => new(PythonTokenKind.Number, ReadNumber(), place),
            _ when IsNameStart(character) => ReadName(place),
            _ => ReadSymbol(place),
        };
    }

    private static bool IsNameStart(char character) => char.IsLetter(character) || character == '_';

    private static bool IsNamePart(char character) => char.IsLetterOrDigit(character) || character == '_';

    /// <summary>Goes over spaces, comments, continued lines, and inside brackets over line ends.</summary>
    private void SkipBlank()
    {
        while (_position < _text.Length)
        {
            var character = Peek();
            if (character == '#')
            {
                var end = _text.AsSpan(_position).IndexOfAny('\n', '\r');
                _position = end < 0 ? _text.Length : _position + end;
            }
            else if (character is ' ' or '\t' or '\f')
            {
                _position++;
            }
            else if (character is '\n' or '\r' && _open.Count > 0)
            {
                SkipLineEnd();
            }
            else if (character == '\\' && Peek(1) is '\n' or '\r')
            {
                _position++;
                SkipLineEnd();
            }
            else
            {
                return;
            }
        }
    }

    private void SkipLineEnd()
    {
        _position += Peek() == '\r' && Peek(1) == '\n' ? 2 : 1;
        _line++;
        _lineStart = _position;
    }

    private PythonToken ReadNewLine(SourcePlace place)
    {
        SkipLineEnd();
        return new(PythonTokenKind.NewLine, "\n", place);
    }

    private PythonToken ReadName(SourcePlace place)
    {
        var start = _position;
        while (IsNamePart(Peek()))
        {
            _position++;
        }

        var name = _text[start.._position];
        return name.Length <= 2 && Peek() is '"' or '\'' ? ReadString(name, place) : new(PythonTokenKind.Name, name, place);
    }

    private string ReadNumber()
    {
        var start = _position;
        var isDecimal = !(Peek() == '0' && char.IsAsciiLetter(Peek(1)) && Peek(1) is not ('e' or 'E' or 'j' or 'J'));
        while (IsNamePart(Peek()) || (isDecimal && (Peek() == '.' || (Peek() is '+' or '-' && _text[_position - 1] is 'e' or 'E'))))
        {
            _position++;
        }

        return _text[start.._position];
    }

    private PythonToken ReadString(string prefix, SourcePlace place)
    {
        var quote = Peek();
        var isTriple = Peek(1) == quote && Peek(2) == quote;
        _position += isTriple ? 3 : 1;
        var start = _position;
        while (!(Peek() == quote && (!isTriple || (Peek(1) == quote && Peek(2) == quote))))
        {
            if (_position >= _text.Length || (!isTriple && Peek() is '\n' or '\r'))
            {
                throw Error(place, $"the string is not closed with {new string(quote, isTriple ? 3 : 1)}");
            }

            _position += Peek() == '\\' ? 1 : 0;
            if (_position < _text.Length && Peek() is '\n' or '\r')
            {
                SkipLineEnd();
            }
            else if (_position < _text.Length)
            {
                _position++;
            }

            if (_position - start > LongestString)
            {
                throw Error(place, $"the string is longer than {LongestString} characters");
            }
        }

        var body = _text[start.._position];
        _position += isTriple ? 3 : 1;
        return new(PythonTokenKind.String, body, place, prefix.ToLowerInvariant());
    }

    private PythonToken ReadSymbol(SourcePlace place)
    {
        var character = Peek();
        if (character <= ' ' || character > '~')
        {
            throw Error(place, $"unexpected character U+{(int)character:X4}");
        }

        _position++;
        if (character is '(' or '[' or '{')
        {
            Open(character, place);
        }
        else if (character is ')' or ']' or '}')
        {
            Close(character, place);
        }
        else if (character == '=' && Peek() == '=')
        {
            _position++;
            return new(PythonTokenKind.Symbol, "==", place);
        }

        return new(PythonTokenKind.Symbol, character.ToString(), place);
    }

    private void Open(char bracket, SourcePlace place)
    {
        if (_open.Count == MostDepth)
        {
            throw Error(place, $"brackets are nested deeper than {MostDepth}");
        }

        _open.Push((bracket, place));
    }

    private void Close(char bracket, SourcePlace place)
    {
        var expected = bracket switch { ')' => '(', ']' => '[', _ => '{' };
        if (!_open.TryPop(out var open) || open.Bracket != expected)
        {
            throw Error(place, open.Bracket == default ? $"'{bracket}' closes nothing" : $"'{bracket}' does not close '{open.Bracket}' of line {open.Place.Line}");
        }
    }
}
