using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Runtime.Tensors;

namespace Runtime.Host.Http;

/// <summary>
/// Reads a JSON value, or arrays of them nested in any way, straight into a tensor's memory. Strict: what JSON's grammar or
/// the datatype does not allow is a fault at <see cref="Position"/>.
/// </summary>
internal ref struct JsonArrayReader(ReadOnlySpan<byte> text, int position, int maxDepth)
{
    private readonly ReadOnlySpan<byte> _text = text;

    /// <summary>Behind what was read, or where the fault is.</summary>
    public int Position { get; private set; } = position;

    /// <summary>Elements read.</summary>
    public int Count { get; private set; }

    /// <summary>Reads elements of that datatype, of which <paramref name="target"/> has room for all the tensor's.</summary>
    public ElementFault Read(DataType type, Span<byte> target) => type switch
    {
        DataType.Bool => Read<byte, BoolReader>(target),
        DataType.Uint8 => Read<byte, IntegerReader<byte>>(target),
        DataType.Uint16 => Read<ushort, IntegerReader<ushort>>(Cast<ushort>(target)),
        DataType.Uint32 => Read<uint, IntegerReader<uint>>(Cast<uint>(target)),
        DataType.Uint64 => Read<ulong, IntegerReader<ulong>>(Cast<ulong>(target)),
        DataType.Int8 => Read<sbyte, IntegerReader<sbyte>>(Cast<sbyte>(target)),
        DataType.Int16 => Read<short, IntegerReader<short>>(Cast<short>(target)),
        DataType.Int32 => Read<int, IntegerReader<int>>(Cast<int>(target)),
        DataType.Int64 => Read<long, IntegerReader<long>>(Cast<long>(target)),
        DataType.Fp16 => Read<Half, HalfReader>(Cast<Half>(target)),
        DataType.Bf16 => Read<ushort, BrainReader>(Cast<ushort>(target)),
        DataType.Fp32 => Read<float, SingleReader>(Cast<float>(target)),
        DataType.Fp64 => Read<double, DoubleReader>(Cast<double>(target)),
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    private static Span<T> Cast<T>(Span<byte> target)
        where T : struct => MemoryMarshal.Cast<byte, T>(target);

    private ElementFault Read<T, TReader>(Span<T> target)
        where TReader : struct, IElementReader<T>
    {
        var text = _text;
        var (i, count, depth) = (Position, 0, 0);
        ElementFault fault;
        do
        {
            fault = Open(text, ref i, ref depth, out var isEmpty);
            var isNext = fault == ElementFault.None && !isEmpty;
            while (isNext)
            {
                fault = (uint)count >= (uint)target.Length ? ElementFault.TooMany : TReader.Read(text, ref i, out target[count++]);
                isNext = fault == ElementFault.None && depth > 0 && IsNumberNext(text, ref i);
            }
        }
        while (fault == ElementFault.None && Continues(text, ref i, ref depth, ref fault));

        Position = i;
        Count = fault is ElementFault.None or ElementFault.TooMany ? count : count - 1;
        return fault;
    }

    /// <summary>Goes to the next element through the brackets before it; an empty array has none.</summary>
    private readonly ElementFault Open(ReadOnlySpan<byte> text, ref int i, ref int depth, out bool isEmpty)
    {
        isEmpty = false;
        while (true)
        {
            SkipSpace(text, ref i);
            if ((uint)i >= (uint)text.Length)
            {
                return ElementFault.Syntax;
            }

            if (text[i] != '[')
            {
                return ElementFault.None;
            }

            i++;
            if (++depth > maxDepth)
            {
                return ElementFault.TooDeep;
            }

            SkipSpace(text, ref i);
            if (i < text.Length && text[i] == ']')
            {
                isEmpty = true;
                return ElementFault.None;
            }
        }
    }

    /// <summary>Goes through the brackets behind an element and over a comma; false when the outermost array has ended, or at a fault.</summary>
    private static bool Continues(ReadOnlySpan<byte> text, ref int i, ref int depth, ref ElementFault fault)
    {
        while (depth > 0)
        {
            SkipSpace(text, ref i);
            var next = (uint)i < (uint)text.Length ? text[i] : 0;
            if (next == ',')
            {
                i++;
                return true;
            }

            if (next != ']')
            {
                fault = ElementFault.Syntax;
                return false;
            }

            i++;
            depth--;
        }

        return false;
    }

    /// <summary>Goes over a comma and at most one space to a number, as almost all arrays have them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNumberNext(ReadOnlySpan<byte> text, ref int i)
    {
        if (i + 2 >= text.Length || text[i] != ',')
        {
            return false;
        }

        var next = text[i + 1] == ' ' ? i + 2 : i + 1;
        if (text[next] - (uint)'0' > 9 && text[next] != '-')
        {
            return false;
        }

        i = next;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SkipSpace(ReadOnlySpan<byte> text, ref int i)
    {
        while ((uint)i < (uint)text.Length && text[i] <= ' ' && text[i] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            i++;
        }
    }
}
