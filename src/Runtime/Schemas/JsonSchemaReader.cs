using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Runtime.Models.Configuration;

namespace Runtime.Schemas;

/// <summary>Reads <c>input_schema.json</c>, an object with the names of <c>input_schema.py</c> as its keys.</summary>
public static class JsonSchemaReader
{
    /// <summary>Reads a file's bytes; <paramref name="fileName"/> is what messages call it.</summary>
    /// <exception cref="ModelConfigException">It is no schema; the message begins with file, line and column.</exception>
    public static InputSchema Read(ReadOnlySpan<byte> bytes, string fileName)
    {
        // Decoded and encoded again, so that a file that is not UTF-8 is refused like a Python file.
        var root = new JsonLiterals(Encoding.UTF8.GetBytes(SchemaFile.Decode(bytes, fileName)), fileName).Read();
        var file = new SchemaFile(fileName);
        if (root is not MapLiteral { Entries: var entries })
        {
            throw new ModelConfigException(file.Text(root.Place, $"expected an object with the key {SchemaFile.Inputs}, found {root.Describe()}"));
        }

        foreach (var (key, value) in entries)
        {
            var name = ((TextLiteral)key).Value;
            if (SchemaFile.IsKnown(name))
            {
                file.Add(new SchemaEntry(name, key.Place, value));
            }
            else if (name is not ("$schema" or "$comment"))
            {
                file.Ignore(name, key.Place);
            }
        }

        return SchemaBuilder.Build(file);
    }
}

/// <summary>Reads JSON into literals that know their places.</summary>
internal ref struct JsonLiterals
{
    // Above this a double cannot tell a whole number from its neighbours.
    private const double MostWhole = 1L << 53;

    private readonly ReadOnlySpan<byte> _text;
    private readonly string _fileName;
    private Utf8JsonReader _reader;
    private int _counted;
    private int _line = 1;
    private int _lineStart;

    public JsonLiterals(ReadOnlySpan<byte> text, string fileName)
    {
        _text = text;
        _fileName = fileName;
        _reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = PythonScanner.MostDepth });
    }

    public Literal Read()
    {
        try
        {
            _reader.Read();
            var value = ReadValue();
            _reader.Read();
            return value;
        }
        catch (JsonException fault)
        {
            throw Error(new((int)(fault.LineNumber ?? 0) + 1, (int)(fault.BytePositionInLine ?? 0) + 1), $"not JSON: {fault.Message}");
        }
        catch (InvalidOperationException)
        {
            throw Error(Place(), "the string has half of a surrogate pair, which is no character");
        }
    }

    private Literal ReadValue()
    {
        var place = Place();
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = new List<KeyValuePair<Literal, Literal>>();
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = new TextLiteral(Place(), _reader.GetString()!);
                    _reader.Read();
                    entries.Add(new(key, ReadValue()));
                }

                return new MapLiteral(place, entries);
            case JsonTokenType.StartArray:
                var items = new List<Literal>();
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadValue());
                }

                return new ListLiteral(place, items);
            case JsonTokenType.String:
                return new TextLiteral(place, _reader.GetString()!);
            case JsonTokenType.Number:
                return ReadNumber(place);
            case JsonTokenType.True or JsonTokenType.False:
                return new BoolLiteral(place, _reader.GetBoolean());
            default:
                return new NoneLiteral(place);
        }
    }

    /// <summary>A number; 1.0 is an integer, as in JSON Schema.</summary>
    private Literal ReadNumber(SourcePlace place)
    {
        if (_reader.ValueSpan.Length > PythonNumbers.Longest)
        {
            throw Error(place, $"the number has more than {PythonNumbers.Longest} characters");
        }

        if (_reader.ValueSpan.IndexOfAny(".eE"u8) < 0)
        {
            return new IntegerLiteral(place, BigInteger.Parse(Encoding.ASCII.GetString(_reader.ValueSpan), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        }

        var value = _reader.GetDouble();
        return !double.IsFinite(value) ? throw Error(place, "the number is too large")
            : Math.Abs(value) < MostWhole && Math.Floor(value) == value ? new IntegerLiteral(place, new BigInteger(value))
            : new FloatLiteral(place, value);
    }

    private SourcePlace Place()
    {
        var start = (int)_reader.TokenStartIndex;
        for (; _counted < start; _counted++)
        {
            if (_text[_counted] == '\n')
            {
                _line++;
                _lineStart = _counted + 1;
            }
        }

        return new(_line, Encoding.UTF8.GetCharCount(_text[_lineStart..start]) + 1);
    }

    private readonly ModelConfigException Error(SourcePlace at, string message) => new($"{_fileName}:{at.Line}:{at.Column}: {message}");
}
