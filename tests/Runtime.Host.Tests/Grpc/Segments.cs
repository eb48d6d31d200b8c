using System.Buffers;

namespace Runtime.Host.Tests.Grpc;

/// <summary>Sequences of several segments, as pipes give them.</summary>
internal static class Segments
{
    /// <summary>The bytes cut after every so many.</summary>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, int size)
    {
        Segment? first = null, last = null;
        for (var start = 0; start < bytes.Length; start += size)
        {
            last = new Segment(bytes.AsMemory(start, Math.Min(size, bytes.Length - start)), last);
            first ??= last;
        }

        return first is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(first, 0, last!, last!.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? previous)
        {
            Memory = memory;
            RunningIndex = previous is null ? 0 : previous.RunningIndex + previous.Memory.Length;
            if (previous is not null)
            {
                previous.Next = this;
            }
        }
    }
}
