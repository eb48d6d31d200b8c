using System.Buffers;
using System.Text.Unicode;
using Runtime.Inference;

namespace Runtime.Host.Grpc;

/// <summary>
/// Takes a ModelInferRequest apart straight over the pipe's segments, so that raw tensors are copied once, by whoever
/// builds the request. Unknown fields are skipped, and of repeated single fields the last counts, as protobuf wants.
/// </summary>
internal static class InferRequestDecoder
{
    /// <summary>An empty entry takes two bytes on the wire and a hundred here, so their number is bounded.</summary>
    private const int MaxEntries = 1 << 16;

    /// <exception cref="InferenceException">The bytes are no such message.</exception>
    public static InferMessage Decode(ReadOnlySequence<byte> frame)
    {
        var message = new InferMessage();
        var reader = new SequenceReader<byte>(frame);
        for (var entries = 0; !reader.End;)
        {
            if (entries > MaxEntries)
            {
                throw new InferenceException(ErrorCode.InvalidArgument, $"the request has more than {MaxEntries} inputs, outputs and parameters");
            }

            var (field, type) = WireReader.SplitTag(ReadVarint(ref reader));
            if (type == WireType.Bytes && field is >= 1 and <= 7)
            {
                entries += field >= 4 ? 1 : 0;
                ReadField(message, field, TakeBytes(ref reader));
            }
            else
            {
                Skip(ref reader, field, type);
            }
        }

        return message;
    }

    /// <summary>
    /// Finds what names a request in the beginning of a message whose first fields are the model's name, its version and the
    /// id, as protobuf's own writers order them.
    /// </summary>
    /// <returns>Whether that is all for certain, where more of the message may follow.</returns>
    public static bool TryReadHead(ReadOnlySequence<byte> beginning, out InferHead head)
    {
        const int Id = 3;
        const byte LongestOneByteLength = 127;

        head = InferHead.None;
        var reader = new SequenceReader<byte>(beginning);
        for (var last = 0; reader.TryRead(out var tag);)
        {
            var (field, type) = (tag >> 3, (WireType)(tag & 7));
            if (field > Id || type != WireType.Bytes)
            {
                return head.ModelName.Length > 0;
            }

            if (field <= last || !reader.TryRead(out var length))
            {
                return false;
            }

            if (length > LongestOneByteLength)
            {
                return field == Id && head.ModelName.Length > 0;
            }

            if (!reader.TryReadExact(length, out var value) || !Utf8.IsValid(Contiguous(value).Span))
            {
                return false;
            }

            head = head.With(field, WireReader.Text(Contiguous(value).Span));
            if (field == Id)
            {
                return head.ModelName.Length > 0;
            }

            last = field;
        }

        return false;
    }

    private static void ReadField(InferMessage message, int field, ReadOnlySequence<byte> value)
    {
        switch (field)
        {
            case 1:
                message.ModelName = WireReader.Text(Contiguous(value).Span);
                break;
            case 2:
                message.ModelVersion = WireReader.Text(Contiguous(value).Span);
                break;
            case 3:
                message.Id = WireReader.Text(Contiguous(value).Span);
                break;
            case 4:
                (message.Parameters ??= []).Add(ParameterReader.Read(Contiguous(value).Span));
                break;
            case 5:
                message.Inputs.Add(ReadInput(Contiguous(value)));
                break;
            case 6:
                (message.Outputs ??= []).Add(ReadOutput(Contiguous(value)));
                break;
            default:
                message.RawContents.Add(value);
                break;
        }
    }

    private static WireTensor ReadInput(ReadOnlyMemory<byte> data)
    {
        var tensor = new WireTensor();
        var reader = new WireReader(data.Span);
        var shape = new ShapeBuffer(stackalloc long[8]);
        while (reader.TryReadTag(out var field, out var type))
        {
            switch ((field, type))
            {
                case (1, WireType.Bytes):
                    tensor.Name = ReadMemory(ref reader, data);
                    break;
                case (2, WireType.Bytes):
                    tensor.DataType = ReadMemory(ref reader, data);
                    break;
                case (3, WireType.Bytes):
                    var packed = new WireReader(reader.ReadBytes());
                    while (!packed.IsAtEnd)
                    {
                        shape.Add((long)packed.ReadVarint());
                    }

                    break;
                case (3, WireType.Varint):
                    shape.Add((long)reader.ReadVarint());
                    break;
                case (4, WireType.Bytes):
                    (tensor.Parameters ??= []).Add(ParameterReader.Read(reader.ReadBytes()));
                    break;
                case (5, WireType.Bytes):
                    tensor.Contents = Merge(tensor.Contents, ReadMemory(ref reader, data));
                    break;
                default:
                    reader.Skip(field, type);
                    break;
            }
        }

        tensor.Shape = shape.ToArray();
        return tensor;
    }

    private static WireTensor ReadOutput(ReadOnlyMemory<byte> data)
    {
        var tensor = new WireTensor();
        var reader = new WireReader(data.Span);
        while (reader.TryReadTag(out var field, out var type))
        {
            switch ((field, type))
            {
                case (1, WireType.Bytes):
                    tensor.Name = ReadMemory(ref reader, data);
                    break;
                case (2, WireType.Bytes):
                    (tensor.Parameters ??= []).Add(ParameterReader.Read(reader.ReadBytes()));
                    break;
                default:
                    reader.Skip(field, type);
                    break;
            }
        }

        return tensor;
    }

    /// <summary>A message field that comes twice is one message: protobuf's merging equals joining the bytes.</summary>
    private static ReadOnlyMemory<byte> Merge(ReadOnlyMemory<byte>? first, ReadOnlyMemory<byte> second)
        => first is { Length: > 0 } before ? (byte[])[.. before.Span, .. second.Span] : second;

    private static ReadOnlyMemory<byte> ReadMemory(ref WireReader reader, ReadOnlyMemory<byte> data)
    {
        var bytes = reader.ReadBytes();
        return data.Slice(reader.Position - bytes.Length, bytes.Length);
    }

    private static ReadOnlyMemory<byte> Contiguous(ReadOnlySequence<byte> value) => value.IsSingleSegment ? value.First : value.ToArray();

    private static ulong ReadVarint(ref SequenceReader<byte> reader)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (!reader.TryRead(out var octet))
            {
                throw WireReader.Malformed("it ends inside a number");
            }

            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
            {
                return value;
            }
        }

        throw WireReader.Malformed("a number has more than ten bytes");
    }

    private static ReadOnlySequence<byte> TakeBytes(ref SequenceReader<byte> reader)
    {
        var length = ReadVarint(ref reader);
        if (length > (ulong)reader.Remaining)
        {
            throw WireReader.Malformed($"a field claims {length} bytes, but only {reader.Remaining} are left");
        }

        var bytes = reader.Sequence.Slice(reader.Position, (long)length);
        reader.Advance((long)length);
        return bytes;
    }

    /// <summary>Unknown fields at the top are rare: the first makes what is left contiguous, once, and is skipped like a nested one.</summary>
    private static void Skip(ref SequenceReader<byte> reader, int field, WireType type)
    {
        var rest = Contiguous(reader.UnreadSequence);
        reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(rest));
        var skipper = new WireReader(rest.Span);
        skipper.Skip(field, type);
        reader.Advance(skipper.Position);
    }

    /// <summary>Collects dimensions without an allocation for the usual few.</summary>
    private ref struct ShapeBuffer(Span<long> initial)
    {
        private Span<long> _items = initial;
        private int _count;

        public void Add(long dimension)
        {
            if (_count == _items.Length)
            {
                var larger = new long[2 * _count];
                _items.CopyTo(larger);
                _items = larger;
            }

            _items[_count++] = dimension;
        }

        public readonly long[] ToArray() => _items[.._count].ToArray();
    }
}
