using System.Buffers.Binary;

namespace Runtime.Host.Tests.Grpc;

/// <summary>Messages as gRPC frames them.</summary>
internal static class Frames
{
    public static byte[] Of(byte[] message, byte flag = 0)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>The messages of uncompressed frames.</summary>
    public static List<byte[]> Split(ReadOnlySpan<byte> frames)
    {
        var messages = new List<byte[]>();
        while (frames.Length > 0)
        {
            Assert.Equal(0, frames[0]);
            var length = BinaryPrimitives.ReadInt32BigEndian(frames[1..]);
            messages.Add(frames.Slice(5, length).ToArray());
            frames = frames[(5 + length)..];
        }

        return messages;
    }
}
