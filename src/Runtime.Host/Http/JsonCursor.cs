using System.Text;
using System.Text.Json;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Host.Http;

/// <summary>
/// Walks a request's JSON: <see cref="Utf8JsonReader"/> for the envelope, and a way around the arrays that are scanned by
/// hand. A byte order mark is passed over.
/// </summary>
internal ref struct JsonCursor
{
    /// <summary>How deep JSON may nest.</summary>
    public const int MaxDepth = 100;

    private Utf8JsonReader _reader;
    private int _base;

    public JsonCursor(ReadOnlySpan<byte> text)
    {
        Text = text;
        _base = text.StartsWith("\uFEFF"u8) ? 3 : 0;
        _reader = new Utf8JsonReader(text[_base..], true, new JsonReaderState(new JsonReaderOptions { MaxDepth = MaxDepth }));
    }

    /// <summary>The whole document.</summary>
    public readonly ReadOnlySpan<byte> Text { get; }

    public readonly JsonTokenType Token => _reader.TokenType;

    /// <summary>The offset behind the current token (behind the colon of a property's name).</summary>
    public readonly int Position => _base + (int)_reader.BytesConsumed;

    public readonly int Depth => _reader.CurrentDepth;

    /// <summary>Steps to the next token, which must be there.</summary>
    public void Read()
    {
        if (!_reader.Read())
        {
            throw new JsonException("The document ends too early.");
        }
    }

    /// <summary>Steps to the next member's name, or to the end of the object.</summary>
    public bool ReadMember()
    {
        Read();
        return Token == JsonTokenType.PropertyName;
    }

    /// <summary>Steps to the next element, or to the end of the array.</summary>
    public bool ReadElement()
    {
        Read();
        return Token != JsonTokenType.EndArray;
    }

    /// <summary>Checks that nothing but white space follows the document.</summary>
    public void ReadEnd() => _reader.Read();

    public readonly bool Is(ReadOnlySpan<byte> text) => _reader.ValueTextEquals(text);

    public readonly bool Is(string text) => _reader.ValueTextEquals(text);

    /// <summary>Passes over the current member's value, or over the current value.</summary>
    public void Skip() => _reader.Skip();

    /// <summary>The bytes of the current string or name as they stand in the text, if no escape is in them.</summary>
    public readonly ReadOnlySpan<byte> Raw => _reader.ValueIsEscaped ? default : _reader.ValueSpan;

    public readonly string Text16() => _reader.GetString()!;

    public readonly int CopyString(Span<byte> target) => _reader.CopyString(target);

    /// <summary>The bytes of the current string as they stand in the text: at least as many as it has without escapes.</summary>
    public readonly int RawLength => _reader.ValueSpan.Length;

    public readonly bool TryGetUint64(out ulong value)
    {
        value = 0;
        return Token == JsonTokenType.Number && _reader.TryGetUInt64(out value);
    }

    public readonly bool TryGetInt64(out long value)
    {
        value = 0;
        return Token == JsonTokenType.Number && _reader.TryGetInt64(out value);
    }

    public readonly double GetDouble() => _reader.TryGetDouble(out var value) ? value : throw new JsonException("Number too big to be stored in double.");

    /// <summary>Where the value of the member whose name is current begins.</summary>
    public readonly int ValueStart()
    {
        var position = Position;
        while (position < Text.Length && Text[position] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            position++;
        }

        return position;
    }

    /// <summary>Goes on behind a member's value that was read by hand and ends at <paramref name="end"/>.</summary>
    public void ContinueAt(int end)
    {
        // To the reader the value was a null.
        var stand = new Utf8JsonReader("null"u8, false, _reader.CurrentState);
        stand.Read();
        _reader = new Utf8JsonReader(Text[end..], true, stand.CurrentState);
        _base = end;
    }

    /// <summary>Goes back to the start of a value, to read it as a document of its own.</summary>
    public static JsonCursor At(ReadOnlySpan<byte> text, int start, int end)
    {
        var cursor = new JsonCursor(text[..end]);
        cursor._reader = new Utf8JsonReader(text[start..end], true, new JsonReaderState(new JsonReaderOptions { MaxDepth = MaxDepth }));
        cursor._base = start;
        return cursor;
    }

    /// <summary>The current string, required of the field <paramref name="field"/>.</summary>
    public readonly string GetString(string field)
        => Token == JsonTokenType.String ? Text16() : throw Wrong(field, "non-string as string");

    /// <summary>The current string, required of the field <c>name</c>; no new one where it is one of the model's names.</summary>
    public readonly string GetName(IReadOnlyList<TensorConfig> known)
    {
        if (Token == JsonTokenType.String)
        {
            var raw = Raw;
            for (var i = 0; i < known.Count; i++)
            {
                if (Ascii.Equals(raw, known[i].Name))
                {
                    return known[i].Name;
                }
            }
        }

        return GetString("name");
    }

    public readonly bool GetBool(string field)
        => Token is JsonTokenType.True or JsonTokenType.False ? Token == JsonTokenType.True : throw Wrong(field, "non-boolean as boolean");

    public readonly ulong GetUint64(string field)
        => TryGetUint64(out var value) ? value : throw Wrong(field, "non-unsigned-integer as unsigned-integer");

    /// <summary>An error about a field of the wrong type, in Triton's words and with the place.</summary>
    public readonly InferenceException Wrong(string field, string what) => Invalid($"Unable to parse '{field}': attempt to access JSON {what} (at byte {Position})");

    public static InferenceException Missing(string field) => Invalid($"Unable to parse '{field}': attempt to access non-existing object member '{field}'");

    public static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    /// <summary>What the reader found wrong with the text itself.</summary>
    public readonly InferenceException Malformed(Exception fault)
    {
        var message = fault.Message;
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var detail = Text.Length == _base && _reader.TokenType == JsonTokenType.None ? "The document is empty." : end < 0 ? message : message[..end];
        return new InferenceException(InferenceError.InvalidArgument($"failed to parse the request JSON buffer: {detail} at {Position}"), fault);
    }

    /// <summary>The offset behind the array, object or string at <paramref name="start"/>, found by its brackets or quotes alone; -1 if it does not end.</summary>
    /// <param name="start">Where the bracket or quote is.</param>
    /// <param name="elements">At least as many elements as the array has, those of nested arrays counted.</param>
    public readonly int SkipNested(int start, out int elements)
    {
        elements = 1;
        var depth = 0;
        for (var i = start; i < Text.Length; i++)
        {
            switch (Text[i])
            {
                case (byte)'"':
                    i = SkipString(i);
                    if (depth == 0 && i < Text.Length)
                    {
                        return i + 1;
                    }

                    break;
                case (byte)',':
                    elements++;
                    break;
                case (byte)'[' or (byte)'{':
                    depth++;
                    break;
                case (byte)']' or (byte)'}' when --depth == 0:
                    return i + 1;
            }
        }

        return -1;
    }

    /// <summary>The offset of the closing quote, or of the end of the text.</summary>
    private readonly int SkipString(int i)
    {
        for (i++; i < Text.Length; i++)
        {
            var next = Text[i..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0)
            {
                return Text.Length;
            }

            i += next;
            if (Text[i] == (byte)'"')
            {
                return i;
            }

            i++;
        }

        return i;
    }
}
