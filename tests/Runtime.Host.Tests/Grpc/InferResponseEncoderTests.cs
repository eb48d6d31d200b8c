using System.IO.Pipelines;
using Runtime.Host.Grpc;
using Runtime.Inference;
using Runtime.Protocol;
using Runtime.Tensors;
using DataType = Runtime.Tensors.DataType;

namespace Runtime.Host.Tests.Grpc;

public sealed class InferResponseEncoderTests
{
    private static readonly Dictionary<string, ParameterValue> Parameters = new()
    {
        ["b"] = true,
        ["i"] = -5L,
        ["u"] = ulong.MaxValue,
        ["d"] = 0.5,
        ["sé"] = "text é",
        [""] = "",
    };

    [Fact]
    public void Write_FullReply_ReadsBackAsTheGeneratedMessage()
    {
        using var outputs = Outputs(("A", [2, 300], 600 * 4), ("B", [], 4), ("C", [0], 0));
        var reply = new InferReply { ModelName = "modèle", ModelVersion = 12, Id = "id-1", Parameters = Parameters, Outputs = outputs };

        var message = ModelInferResponse.Parser.ParseFrom(Encode(reply));

        Assert.Equal(("modèle", "12", "id-1"), (message.ModelName, message.ModelVersion, message.Id));
        Assert.Equal((true, -5L, ulong.MaxValue), (message.Parameters["b"].BoolParam, message.Parameters["i"].Int64Param, message.Parameters["u"].Uint64Param));
        Assert.Equal((0.5, "text é", ""), (message.Parameters["d"].DoubleParam, message.Parameters["sé"].StringParam, message.Parameters[""].StringParam));
        Assert.Equal(["A", "B", "C"], message.Outputs.Select(output => output.Name));
        Assert.All(message.Outputs, output => Assert.Equal("INT32", output.Datatype));
        Assert.Equal([[2, 300], [], [0]], message.Outputs.Select(output => output.Shape.ToArray()));
        Assert.Equal(outputs.Tensors.ToArray().Select(tensor => tensor.Data.ToArray()), message.RawOutputContents.Select(raw => raw.ToByteArray()));
    }

    [Fact]
    public void Write_StreamReply_WrapsTheResponse()
    {
        using var outputs = Outputs(("A", [1], 4));
        var success = ModelStreamInferResponse.Parser.ParseFrom(Encode(new InferReply { ModelName = "m", ModelVersion = 1, Outputs = outputs, IsFinal = false, StreamError = "" }));
        Assert.Equal("", success.ErrorMessage);
        Assert.Equal("1", success.InferResponse.ModelVersion);
        Assert.Equal(InferParameter.ParameterChoiceOneofCase.BoolParam, success.InferResponse.Parameters["triton_final_response"].ParameterChoiceCase);
        Assert.False(success.InferResponse.Parameters["triton_final_response"].BoolParam);

        var failure = ModelStreamInferResponse.Parser.ParseFrom(Encode(new InferReply { Id = "x", StreamError = "it failed" }));
        Assert.Equal("it failed", failure.ErrorMessage);
        Assert.Equal(new ModelInferResponse { Id = "x" }, failure.InferResponse);
    }

    [Fact]
    public void Write_OutputInSharedMemory_HasItsPlaceInsteadOfItsBytes()
    {
        using var outputs = Outputs(("A", [1], 4), ("B", [1], 4));
        var reply = new InferReply { ModelName = "m", Outputs = outputs, Placements = [new OutputPlacement("A", "region", 8, 64)] };

        var message = ModelInferResponse.Parser.ParseFrom(Encode(reply));

        Assert.Equal("region", message.Outputs[0].Parameters["shared_memory_region"].StringParam);
        Assert.Equal(8, message.Outputs[0].Parameters["shared_memory_offset"].Int64Param);
        Assert.Equal(4, message.Outputs[0].Parameters["shared_memory_byte_size"].Int64Param);
        Assert.Empty(message.Outputs[1].Parameters);
        Assert.Equal([0, 4], message.RawOutputContents.Select(raw => raw.Length));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5000)]
    [InlineData(3 << 20)]
    public async Task WriteAsync_AnySize_IsOneFrame(int byteCount)
    {
        using var outputs = Outputs(("A", [byteCount / 4], byteCount));
        var reply = new InferReply { ModelName = "m", Outputs = outputs };
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));

        var writer = new FrameWriter(pipe.Writer);
        await writer.WriteAsync(reply, null, default);
        await writer.FlushAsync(default);
        await pipe.Writer.CompleteAsync();

        using var stream = new MemoryStream();
        await pipe.Reader.CopyToAsync(stream);
        Assert.Equal([Encode(reply)], Frames.Split(stream.ToArray()));
    }

    private static byte[] Encode(InferReply reply)
    {
        var bytes = new byte[InferResponseEncoder.Size(reply)];
        InferResponseEncoder.Write(bytes, reply);
        return bytes;
    }

    private static TensorSet Outputs(params (string Name, long[] Shape, int ByteCount)[] tensors)
    {
        var outputs = new TensorSet();
        foreach (var (name, shape, byteCount) in tensors)
        {
            outputs.Rent(name, DataType.Int32, shape, byteCount, out var memory);
            new Random(byteCount).NextBytes(memory.Span);
        }

        return outputs;
    }
}
