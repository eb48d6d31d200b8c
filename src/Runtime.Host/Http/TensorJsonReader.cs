using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>A tensor's name, datatype and shape, as a request declares them.</summary>
internal readonly record struct TensorHead(string Name, DataType Type, long[] Shape);

/// <summary>Reads a tensor's elements from JSON into pooled memory of a request.</summary>
internal static class TensorJsonReader
{
    private static readonly SearchValues<byte> Delimiters = SearchValues.Create(" ,]}\t\r\n"u8);

    /// <summary>Reads the array at <paramref name="start"/>, whose elements the shape counts, and returns the offset behind it.</summary>
    /// <exception cref="InferenceException">The array does not hold what the tensor declares.</exception>
    public static int ReadArray(scoped in JsonCursor cursor, int start, in TensorHead head, TensorSet target)
    {
        if (start >= cursor.Text.Length || cursor.Text[start] != '[')
        {
            throw cursor.Wrong("data", "non-array as array");
        }

        var count = Shapes.ElementCount(head.Shape);
        if (head.Type == DataType.Bytes)
        {
            return ReadStrings(cursor, start, head, target, count, out _);
        }

        // An element takes a digit and a comma or bracket: what the text cannot hold is not rented.
        if (count > (cursor.Text.Length - start) / 2)
        {
            throw TooFew(head, (cursor.Text.Length - start) / 2, "at most ");
        }

        var end = ReadNumbers(cursor, start, head, target, (int)count, out var found);
        return found == count ? end : throw TooFew(head, found, "");
    }

    /// <summary>Reads the value or array at <paramref name="start"/> into the tensor that is added last, which gets as many elements as there are.</summary>
    public static int ReadAny(scoped in JsonCursor cursor, int start, in TensorHead head, TensorSet target, out int found)
    {
        var most = 1;
        if (cursor.Text[start] == '[' && cursor.SkipNested(start, out most) < 0)
        {
            throw Describe(head, ElementFault.Syntax, cursor.Text, cursor.Text.Length, 0);
        }

        return head.Type == DataType.Bytes
            ? ReadStrings(cursor, start, head, target, -1, out found)
            : ReadNumbers(cursor, start, head, target, most, out found);
    }

    private static int ReadNumbers(scoped in JsonCursor cursor, int start, in TensorHead head, TensorSet target, int room, out int found)
    {
        var tensor = target.Rent(head.Name, head.Type, head.Shape, (long)room * head.Type.Size(), out var memory);
        var reader = new JsonArrayReader(cursor.Text, start, JsonCursor.MaxDepth - cursor.Depth);
        var fault = reader.Read(head.Type, memory.Span);
        found = reader.Count;
        if (fault != ElementFault.None)
        {
            throw Describe(head, fault, cursor.Text, reader.Position, found);
        }

        if (found < room)
        {
            target.Replace(target.Count - 1, tensor with { Data = memory[..(found * head.Type.Size())] });
        }

        return reader.Position;
    }

    /// <summary>Strings, each behind its length in four bytes. A count of -1 takes as many as there are.</summary>
    private static int ReadStrings(scoped in JsonCursor cursor, int start, in TensorHead head, TensorSet target, long count, out int found)
    {
        if (cursor.Text[start] is not ((byte)'[' or (byte)'"'))
        {
            throw NoString(head, 0, start);
        }

        var end = cursor.SkipNested(start, out var most);
        if (end < 0)
        {
            throw Describe(head, ElementFault.Syntax, cursor.Text, cursor.Text.Length, 0);
        }

        // A string's bytes fit between its quotes; its length takes two bytes more than the quotes do.
        var tensor = target.Rent(head.Name, head.Type, head.Shape, end - start + 2L * most, out var memory);
        var strings = JsonCursor.At(cursor.Text, start, end);
        var written = 0;
        found = 0;
        try
        {
            for (strings.Read(); ; strings.Read())
            {
                if (strings.Token == JsonTokenType.String)
                {
                    var length = strings.CopyString(memory.Span[(written + 4)..]);
                    BinaryPrimitives.WriteInt32LittleEndian(memory.Span[written..], length);
                    written += 4 + length;
                    found++;
                }
                else if (strings.Token is not (JsonTokenType.StartArray or JsonTokenType.EndArray))
                {
                    throw NoString(head, found, strings.Position);
                }

                if (strings.Position == end)
                {
                    break;
                }
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw strings.Malformed(fault);
        }

        target.Replace(target.Count - 1, tensor with { Data = memory[..written] });
        return count < 0 || found == count
            ? end
            : throw JsonCursor.Invalid($"Failed to parse 'data' field: expected {count} string elements for inference input '{head.Name}' of shape {Shapes.Text(head.Shape)}, got {found}");
    }

    private static InferenceException NoString(in TensorHead head, int index, int position) => JsonCursor.Invalid(
        $"Unable to parse JSON bytes array: attempt to access JSON non-string as string (input '{head.Name}', index {index}, byte {position})");

    private static InferenceException TooFew(in TensorHead head, long found, string atMost) => JsonCursor.Invalid(
        $"Failed to parse 'data' field: shape does not match true shape: input '{head.Name}' of shape {Shapes.Text(head.Shape)} needs {Shapes.ElementCount(head.Shape)} elements, its 'data' has {atMost}{found}");

    private static InferenceException Describe(in TensorHead head, ElementFault fault, ReadOnlySpan<byte> text, int position, int index)
    {
        var place = $"input '{head.Name}', index {index}, byte {position}";
        return JsonCursor.Invalid(fault switch
        {
            ElementFault.WrongKind => $"Unable to parse 'data': attempt to access JSON {Kind(head.Type)} ({place}: {Excerpt(text, position)})",
            ElementFault.OutOfRange => $"Unable to parse 'data': {Excerpt(text, position)} is out of the range of {head.Type.Name()}, {(head.Type is DataType.Fp16 or DataType.Bf16 or DataType.Fp32 ? DataType.Fp64 : head.Type).Range()} ({place})",
            ElementFault.TooMany => $"Unable to parse 'data': Shape does not match true shape of 'data' field: more than the {index} elements of shape {Shapes.Text(head.Shape)} ({place})",
            ElementFault.TooDeep => $"failed to parse the request JSON buffer: arrays are nested deeper than {JsonCursor.MaxDepth} at {position} ({place})",
            _ => $"failed to parse the request JSON buffer: Invalid value. at {position} ({place})",
        });
    }

    private static string Kind(DataType type) => type switch
    {
        DataType.Bool => "non-boolean as boolean",
        DataType.Uint8 or DataType.Uint16 or DataType.Uint32 or DataType.Uint64 => "non-unsigned-integer as unsigned-integer",
        DataType.Int8 or DataType.Int16 or DataType.Int32 or DataType.Int64 => "non-signed-integer as signed-integer",
        _ => "non-number as double",
    };

    private static string Excerpt(ReadOnlySpan<byte> text, int position)
    {
        var rest = text[Math.Min(position, text.Length)..];
        var end = rest.IndexOfAny(Delimiters);
        rest = rest[..Math.Min(end < 0 ? rest.Length : end, 24)];
        return string.Create(rest.Length, rest, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = source[i] is > 0x1F and < 0x7F ? (char)source[i] : '?';
            }
        });
    }
}
