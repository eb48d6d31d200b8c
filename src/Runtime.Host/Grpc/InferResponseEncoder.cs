using System.Buffers;
using System.Globalization;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Grpc;

/// <summary>
/// Writes a ModelInferResponse, or the ModelStreamInferResponse around one, whose size is known before its first byte.
/// Outputs are always raw, as Triton's are. The head is everything in front of the raw contents.
/// </summary>
internal static class InferResponseEncoder
{
    /// <summary>The whole message's bytes.</summary>
    public static long Size(InferReply reply) => HeadSize(reply) + RawSize(reply);

    /// <summary>The bytes in front of the raw contents.</summary>
    public static long HeadSize(InferReply reply)
    {
        var inner = InnerHeadSize(reply);
        return reply.StreamError is null
            ? inner
            : WireWriter.StringSize(reply.StreamError) + 1 + WireWriter.VarintSize((ulong)(inner + RawSize(reply))) + inner;
    }

    public static void WriteHead(ref WireWriter writer, InferReply reply)
    {
        if (reply.StreamError is not null)
        {
            writer.String(1, reply.StreamError);
            writer.Prefix(2, InnerHeadSize(reply) + RawSize(reply));
        }

        writer.String(1, reply.ModelName);
        writer.String(2, VersionText(reply.ModelVersion));
        writer.String(3, reply.Id);
        foreach (var (key, value) in reply.Parameters ?? Nothing)
        {
            writer.Entry(4, key, value);
        }

        if (reply.IsFinal is { } isFinal)
        {
            writer.Entry(4, InferParameters.FinalResponse, isFinal);
        }

        foreach (var tensor in Tensors(reply))
        {
            var placement = reply.PlacementOf(tensor.Name);
            writer.Prefix(5, OutputSize(tensor, placement));
            WriteOutput(ref writer, tensor, placement);
        }
    }

    /// <summary>What the raw contents of an output are: its bytes, or none where they went to shared memory.</summary>
    public static ReadOnlyMemory<byte> Raw(InferReply reply, int output)
        => reply.PlacementOf(reply.Outputs![output].Name) is null ? reply.Outputs[output].Data : default;

    /// <summary>Writes the whole message; for tests, compression and small messages.</summary>
    public static void Write(Span<byte> target, InferReply reply)
    {
        var writer = new WireWriter(target);
        WriteHead(ref writer, reply);
        for (var i = 0; i < (reply.Outputs?.Count ?? 0); i++)
        {
            var raw = Raw(reply, i).Span;
            writer.Prefix(6, raw.Length);
            writer.Bytes(raw);
        }
    }

    /// <summary>Writes the message, flushing as it goes so that a large one does not pile up in the pipe.</summary>
    public static async ValueTask WriteAsync(System.IO.Pipelines.PipeWriter pipe, InferReply reply, CancellationToken cancellation)
    {
        var size = (int)HeadSize(reply);
        WriteHead(pipe, reply, size);
        for (var i = 0; i < (reply.Outputs?.Count ?? 0); i++)
        {
            var raw = Raw(reply, i);
            WriteRawPrefix(pipe, raw.Length);
            while (raw.Length > FlushSize)
            {
                pipe.Write(raw.Span[..FlushSize]);
                raw = raw[FlushSize..];
                await pipe.FlushAsync(cancellation);
            }

            pipe.Write(raw.Span);
        }
    }

    private const int FlushSize = 256 << 10;

    private static readonly Dictionary<string, ParameterValue> Nothing = [];

    private static void WriteHead(IBufferWriter<byte> pipe, InferReply reply, int size)
    {
        var writer = new WireWriter(pipe.GetSpan(size));
        WriteHead(ref writer, reply);
        pipe.Advance(writer.Position);
    }

    private static void WriteRawPrefix(IBufferWriter<byte> pipe, int length)
    {
        var writer = new WireWriter(pipe.GetSpan(1 + sizeof(ulong)));
        writer.Prefix(6, length);
        pipe.Advance(writer.Position);
    }

    private static ReadOnlySpan<Tensor> Tensors(InferReply reply) => reply.Outputs is null ? [] : reply.Outputs.Tensors;

    private static string VersionText(long version) => version switch
    {
        0 => "",
        1 => "1",
        _ => version.ToString(CultureInfo.InvariantCulture),
    };

    private static long InnerHeadSize(InferReply reply)
    {
        var size = WireWriter.StringSize(reply.ModelName) + WireWriter.StringSize(VersionText(reply.ModelVersion)) + WireWriter.StringSize(reply.Id);
        foreach (var (key, value) in reply.Parameters ?? Nothing)
        {
            size += WireWriter.FieldSize(WireWriter.EntrySize(key, value));
        }

        if (reply.IsFinal is { } isFinal)
        {
            size += WireWriter.FieldSize(WireWriter.EntrySize(InferParameters.FinalResponse, isFinal));
        }

        foreach (var tensor in Tensors(reply))
        {
            size += WireWriter.FieldSize(OutputSize(tensor, reply.PlacementOf(tensor.Name)));
        }

        return size;
    }

    private static long RawSize(InferReply reply)
    {
        long size = 0;
        for (var i = 0; i < (reply.Outputs?.Count ?? 0); i++)
        {
            size += WireWriter.FieldSize(Raw(reply, i).Length);
        }

        return size;
    }

    private static long OutputSize(Tensor tensor, OutputPlacement? placement)
    {
        var size = WireWriter.StringSize(tensor.Name) + WireWriter.FieldSize(tensor.Type.Utf8Name().Length);
        size += tensor.Shape.Length == 0 ? 0 : WireWriter.FieldSize(ShapeSize(tensor.Shape));
        foreach (var (key, value) in PlacementParameters(tensor, placement))
        {
            size += WireWriter.FieldSize(WireWriter.EntrySize(key, value));
        }

        return size;
    }

    private static void WriteOutput(ref WireWriter writer, Tensor tensor, OutputPlacement? placement)
    {
        writer.String(1, tensor.Name);
        writer.Prefix(2, tensor.Type.Utf8Name().Length);
        writer.Bytes(tensor.Type.Utf8Name());
        if (tensor.Shape.Length > 0)
        {
            writer.Prefix(3, ShapeSize(tensor.Shape));
            foreach (var dimension in tensor.Shape)
            {
                writer.Varint((ulong)dimension);
            }
        }

        foreach (var (key, value) in PlacementParameters(tensor, placement))
        {
            writer.Entry(4, key, value);
        }
    }

    private static (string Key, ParameterValue Value)[] PlacementParameters(Tensor tensor, OutputPlacement? placement)
    {
        if (placement is null)
        {
            return [];
        }

        (string, ParameterValue) region = ("shared_memory_region", placement.Region);
        (string, ParameterValue) size = ("shared_memory_byte_size", (long)tensor.Data.Length);
        return placement.Offset == 0 ? [region, size] : [region, size, ("shared_memory_offset", (long)placement.Offset)];
    }

    private static int ShapeSize(long[] shape)
    {
        var size = 0;
        foreach (var dimension in shape)
        {
            size += WireWriter.VarintSize((ulong)dimension);
        }

        return size;
    }
}
