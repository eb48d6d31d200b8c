using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Runtime.Host.Grpc;

namespace Runtime.Host.Tests.Grpc;

public sealed class FrameReaderTests
{
    private readonly Pipe _pipe = new();

    [Fact]
    public async Task ReadAsync_FrameCutAtEveryByte_GivesTheMessage()
    {
        byte[] message = [1, 2, 3, 4, 5, 6, 7];
        var frame = Frames.Of(message);
        for (var cut = 1; cut < frame.Length; cut++)
        {
            var pipe = new Pipe();
            using var reader = new FrameReader(pipe.Reader, MessageEncoding.Identity, 100);
            await pipe.Writer.WriteAsync(frame.AsMemory(0, cut));
            var read = reader.ReadAsync(default);
            Assert.False(read.IsCompleted);
            await pipe.Writer.WriteAsync(frame.AsMemory(cut));
            await pipe.Writer.CompleteAsync();

            Assert.True(await read);
            Assert.Equal(message, reader.Message.ToArray());
            Assert.False(await reader.ReadAsync(default));
        }
    }

    [Fact]
    public async Task ReadMoreAsync_MessageComesInPieces_ShowsWhatIsThere()
    {
        using var reader = Reader();
        await _pipe.Writer.WriteAsync((byte[])[0, 0, 0, 0, 3]);
        Assert.Equal(FrameState.Begun, await reader.ReadMoreAsync(default));
        Assert.Equal((3, 0), (reader.Length, reader.Message.Length));
        await _pipe.Writer.WriteAsync((byte[])[1, 2]);
        Assert.Equal(FrameState.Begun, await reader.ReadMoreAsync(default));
        Assert.Equal([1, 2], reader.Message.ToArray());
        await _pipe.Writer.WriteAsync((byte[])[3]);
        Assert.Equal(FrameState.Whole, await reader.ReadMoreAsync(default));
        Assert.Equal([1, 2, 3], reader.Message.ToArray());
    }

    [Fact]
    public async Task SkipAsync_FrameCutAtEveryByte_LeavesTheNext()
    {
        byte[] frame = Frames.Of([1, 2, 3, 4, 5, 6, 7]);
        for (var cut = FrameReader.HeaderSize; cut < frame.Length; cut++)
        {
            var pipe = new Pipe();
            using var reader = new FrameReader(pipe.Reader, MessageEncoding.Identity, 100);
            await pipe.Writer.WriteAsync(frame.AsMemory(0, cut));
            Assert.Equal(FrameState.Begun, await reader.ReadMoreAsync(default));
            var skipped = reader.SkipAsync(default);
            await pipe.Writer.WriteAsync((byte[])[.. frame[cut..], .. Frames.Of([9])]);
            await skipped;

            Assert.True(await reader.ReadAsync(default));
            Assert.Equal([9], reader.Message.ToArray());
        }
    }

    [Fact]
    public async Task SkipAsync_EndInsideTheMessage_IsInternal()
    {
        using var reader = Reader();
        await _pipe.Writer.WriteAsync((byte[])[0, 0, 0, 0, 3, 1]);
        Assert.Equal(FrameState.Begun, await reader.ReadMoreAsync(default));
        await _pipe.Writer.CompleteAsync();

        var exception = await Assert.ThrowsAsync<GrpcException>(async () => await reader.SkipAsync(default));
        Assert.Equal(GrpcStatusCode.Internal, exception.Status.Code);
        Assert.False(await reader.ReadAsync(default));
    }

    [Fact]
    public async Task ReadAsync_SeveralFramesInOneSegment_GivesThemOneByOne()
    {
        using var reader = Reader();
        await _pipe.Writer.WriteAsync((byte[])[.. Frames.Of([1]), .. Frames.Of([]), .. Frames.Of([2, 3])]);
        await _pipe.Writer.CompleteAsync();

        var messages = new List<byte[]>();
        while (await reader.ReadAsync(default))
        {
            messages.Add(reader.Message.ToArray());
        }

        Assert.Equal([[1], [], [2, 3]], messages);
    }

    [Fact]
    public async Task ReadAsync_NoMessage_IsTheEnd()
    {
        using var reader = Reader();
        await _pipe.Writer.CompleteAsync();
        Assert.False(await reader.ReadAsync(default));
        Assert.False(await reader.ReadAsync(default));
    }

    [Fact]
    public async Task ReadAsync_LengthBeyondTheLimit_IsRefusedBeforeTheMessageComes()
    {
        using var reader = Reader(maxMessageSize: 10);
        await _pipe.Writer.WriteAsync((byte[])[0, 0, 0, 0, 11]);
        await AssertStatusAsync(GrpcStatusCode.ResourceExhausted, reader);
    }

    [Fact]
    public async Task ReadAsync_EndInsideAMessage_IsInternal()
    {
        using var reader = Reader();
        await _pipe.Writer.WriteAsync((byte[])[0, 0, 0, 0, 3, 1]);
        await _pipe.Writer.CompleteAsync();
        await AssertStatusAsync(GrpcStatusCode.Internal, reader);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(255)]
    public async Task ReadAsync_FlagThatMeansNothingHere_IsInternal(byte flag)
    {
        using var reader = Reader();
        await _pipe.Writer.WriteAsync(Frames.Of([1], flag));
        await AssertStatusAsync(GrpcStatusCode.Internal, reader);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task ReadAsync_Compressed_GivesThePlainMessage(string name)
    {
        var message = Enumerable.Range(0, 100_000).Select(i => (byte)(i / 100)).ToArray();
        Assert.True(MessageCompression.TryParse(name, out var encoding));
        using var reader = new FrameReader(_pipe.Reader, encoding, message.Length);
        await _pipe.Writer.WriteAsync((byte[])[.. Frames.Of(Compress(message, encoding), flag: 1), .. Frames.Of([9])]);

        Assert.True(await reader.ReadAsync(default));
        Assert.Equal(message, reader.Message.ToArray());
        Assert.True(await reader.ReadAsync(default));
        Assert.Equal([9], reader.Message.ToArray());
    }

    [Fact]
    public async Task ReadAsync_DecompressesBeyondTheLimit_IsResourceExhausted()
    {
        var bomb = Compress(new byte[1 << 20], MessageEncoding.Gzip);
        using var reader = new FrameReader(_pipe.Reader, MessageEncoding.Gzip, (1 << 20) - 1);
        await _pipe.Writer.WriteAsync(Frames.Of(bomb, flag: 1));
        await AssertStatusAsync(GrpcStatusCode.ResourceExhausted, reader);
    }

    [Fact]
    public async Task ReadAsync_NotCompressedAsClaimed_IsInternal()
    {
        using var reader = new FrameReader(_pipe.Reader, MessageEncoding.Gzip, 100);
        await _pipe.Writer.WriteAsync(Frames.Of([1, 2, 3, 4], flag: 1));
        await AssertStatusAsync(GrpcStatusCode.Internal, reader);
    }

    private FrameReader Reader(long maxMessageSize = 100) => new(_pipe.Reader, MessageEncoding.Identity, maxMessageSize);

    private static async Task AssertStatusAsync(GrpcStatusCode expected, FrameReader reader)
    {
        var exception = await Assert.ThrowsAsync<GrpcException>(async () => await reader.ReadAsync(default));
        Assert.Equal(expected, exception.Status.Code);
        Assert.NotEmpty(exception.Status.Message);
    }

    private static byte[] Compress(byte[] message, MessageEncoding encoding)
    {
        var target = new MemoryStream();
        using (Stream stream = encoding == MessageEncoding.Gzip ? new GZipStream(target, CompressionLevel.Fastest) : new ZLibStream(target, CompressionLevel.Fastest))
        {
            stream.Write(message);
        }

        return target.ToArray();
    }
}
