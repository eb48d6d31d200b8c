using System.Text;

namespace Runtime.Schemas;

/// <summary>Reads one Python literal. Names, calls, operators and comprehensions are refused: nothing is executed.</summary>
internal sealed class PythonLiteralReader(PythonScanner scanner)
{
    private const string Refusal = "code is not executed";

    /// <summary>Reads the literal at the scanner's token. The scanner bounds how deep it can be nested.</summary>
    public Literal Read()
    {
        var token = scanner.Current;
        return token.Kind switch
        {
            PythonTokenKind.String => ReadStrings(),
            PythonTokenKind.Number => ReadNumber(token.Place, false),
            PythonTokenKind.Name => ReadName(),
            PythonTokenKind.Symbol => ReadSymbol(token),
            _ => throw scanner.Error(token.Place, $"expected a literal, found {token.Describe()}"),
        };
    }

    /// <summary>Sees that nothing but the end follows.</summary>
    public void ExpectEnd()
    {
        if (!scanner.Current.EndsStatement)
        {
            throw scanner.Error(scanner.Current.Place, $"{Refusal}: expected the end of the line behind a literal, found {scanner.Current.Describe()}");
        }
    }

    private Literal ReadSymbol(PythonToken token)
    {
        switch (token.Text)
        {
            case "{":
                return ReadMap();
            case "[":
                scanner.Take();
                return new ListLiteral(token.Place, ReadItems("]", out _));
            case "(":
                scanner.Take();
                var items = ReadItems(")", out var hasComma);
                return items.Count == 1 && !hasComma ? items[0] : new ListLiteral(token.Place, items);
            case "-" or "+":
                scanner.Take();
                return ReadNumber(token.Place, token.Text == "-");
            default:
                throw scanner.Error(token.Place, $"expected a literal, found {token.Describe()}; {Refusal}");
        }
    }

    private List<Literal> ReadItems(string end, out bool hasComma)
    {
        var items = new List<Literal>();
        hasComma = false;
        while (!scanner.TryTake(end))
        {
            items.Add(Read());
            hasComma = scanner.TryTake(",");
            if (!hasComma && !scanner.Current.IsSymbol(end))
            {
                throw Unexpected($"',' or '{end}'");
            }

            hasComma |= items.Count > 1;
        }

        return items;
    }

    private MapLiteral ReadMap()
    {
        var place = scanner.Take().Place;
        var entries = new List<KeyValuePair<Literal, Literal>>();
        while (!scanner.TryTake("}"))
        {
            var key = Read();
            if (!scanner.TryTake(":"))
            {
                throw Unexpected("':' behind a dictionary's key");
            }

            entries.Add(new(key, Read()));
            if (!scanner.TryTake(",") && !scanner.Current.IsSymbol("}"))
            {
                throw Unexpected("',' or '}'");
            }
        }

        return new MapLiteral(place, entries);
    }

    private Literal ReadName()
    {
        var token = scanner.Take();
        return token.Text switch
        {
            "True" => new BoolLiteral(token.Place, true),
            "False" => new BoolLiteral(token.Place, false),
            "None" => new NoneLiteral(token.Place),
            _ => throw scanner.Error(token.Place, $"expected a literal, found the name {token.Describe()}; {Refusal}"),
        };
    }

    private Literal ReadNumber(SourcePlace place, bool isNegative)
    {
        var token = scanner.Current;
        if (token.Kind != PythonTokenKind.Number)
        {
            throw Unexpected("a number behind the sign");
        }

        if (PythonNumbers.TryRead(token.Text, place, isNegative, out var value) is { } fault)
        {
            throw scanner.Error(token.Place, fault);
        }

        scanner.Take();
        return value;
    }

    /// <summary>Reads a string and those that follow it directly, which Python joins.</summary>
    private Literal ReadStrings()
    {
        var first = scanner.Current;
        var isBytes = first.Prefix.Contains('b', StringComparison.Ordinal);
        var text = new StringBuilder();
        while (scanner.Current.Kind == PythonTokenKind.String)
        {
            var token = scanner.Take();
            CheckPrefix(token, isBytes);
            if (PythonStrings.TryRead(token, text) is { } fault)
            {
                throw scanner.Error(token.Place, fault);
            }
        }

        var value = text.ToString();
        if (isBytes)
        {
            return new BytesLiteral(first.Place, Encoding.Latin1.GetBytes(value));
        }

        return PythonStrings.IsUnicode(value) ? new TextLiteral(first.Place, value) : throw scanner.Error(first.Place, "the string has half of a surrogate pair, which is no character");
    }

    private void CheckPrefix(PythonToken token, bool isBytes)
    {
        if (token.Prefix is not ("" or "r" or "u" or "b" or "br" or "rb"))
        {
            throw scanner.Error(token.Place, token.Prefix.Contains('f', StringComparison.Ordinal) ? $"an f-string is no literal; {Refusal}" : $"strings have no prefix '{token.Prefix}'");
        }

        if (isBytes != token.Prefix.Contains('b', StringComparison.Ordinal))
        {
            throw scanner.Error(token.Place, "strings and bytes cannot be joined");
        }
    }

    private Models.Configuration.ModelConfigException Unexpected(string expected)
        => scanner.Error(scanner.Current.Place, $"expected {expected}, found {scanner.Current.Describe()}; {Refusal}");
}
