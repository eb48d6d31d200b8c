using System.Buffers;
using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Inference;
using Runtime.Protocol;

namespace Runtime.Host.Tests.Grpc;

public sealed class InferRequestDecoderTests
{
    [Fact]
    public void Decode_RandomRequests_FindsWhatTheGeneratedParserFinds()
    {
        var random = new RandomMessages(seed: 1);
        for (var round = 0; round < 500; round++)
        {
            var request = random.Request();
            var bytes = request.ToByteArray();
            var decoded = InferRequestDecoder.Decode(round % 2 == 0 ? new ReadOnlySequence<byte>(bytes) : Segments.Cut(bytes, 1 + random.Next(40)));
            Assert.Equal(request, Rebuild(decoded));
        }
    }

    [Theory]
    [InlineData("simple", "", "a")]
    [InlineData("simple", "12", "a")]
    [InlineData("simple", "12", "")]
    public void TryReadHead_MessageCutAtEveryByte_FindsItOnceItIsCertain(string name, string version, string id)
    {
        var request = new ModelInferRequest { ModelName = name, ModelVersion = version, Id = id, Inputs = { new ModelInferRequest.Types.InferInputTensor() } };
        var bytes = request.ToByteArray();
        var certain = bytes.Length - (id.Length > 0 ? 2 : 1); // the id's end, or the tag of the input
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var isThere = InferRequestDecoder.TryReadHead(Segments.Cut(bytes[..cut], 3), out var head);

            Assert.Equal(cut >= certain, isThere);
            Assert.True(!isThere || head == new InferHead(name, version, id));
        }
    }

    [Theory]
    [InlineData(0x1A, 1, (int)'i', 0x0A, 1, (int)'m', 0x2A)] // the id before the name
    [InlineData(0x0A, 1, (int)'m', 0x0A, 1, (int)'n', 0x2A)] // two names
    [InlineData(0x0A, 0x80, 0x01, 0x2A)] // a name of 128 bytes
    [InlineData(0x0A, 1, 0xFF, 0x2A)] // no text
    [InlineData(0x00)] // a field 0
    [InlineData(0x0F)] // a type that there is not
    public void TryReadHead_UnusualBeginnings_AreLeftToTheWholeMessage(params int[] bytes)
        => Assert.False(InferRequestDecoder.TryReadHead(new ReadOnlySequence<byte>([.. bytes.Select(value => (byte)value)]), out _));

    /// <summary>An id of 128 bytes is not looked for.</summary>
    [Fact]
    public void TryReadHead_LongId_FindsTheModel()
    {
        Assert.True(InferRequestDecoder.TryReadHead(new ReadOnlySequence<byte>([0x0A, 1, (byte)'m', 0x1A, 0x80, 0x01]), out var head));
        Assert.Equal(new InferHead("m", "", ""), head);
    }

    [Fact]
    public void Decode_UnpackedRepeatedAndUnknownFields_ReadsAsProtobufWants()
    {
        byte[] input =
        [
            0x0A, 1, (byte)'X', 0x12, 4, .. "FP32"u8, 0x18, 1, 0x1A, 2, 2, 3, 0x18, 4, // a shape in three pieces
            0x2A, 5, 0x35, 0, 0, 0x80, 0x3F, 0x2A, 5, 0x35, 0, 0, 0, 0x40, // contents in two pieces, unpacked
            0xF8, 0x07, 0x05, // an unknown number
        ];
        byte[] bytes =
        [
            0x0A, 1, (byte)'a', 0x0A, 1, (byte)'b', // of two names the last counts
            0xFA, 0x07, 2, 1, 2, // unknown bytes
            0xF3, 0x07, 0x08, 1, 0xF4, 0x07, // an unknown group
            0x08, 7, // a known field of another wire type
            0x2A, (byte)input.Length, .. input,
        ];

        foreach (var size in (int[])[bytes.Length, 1, 3])
        {
            var message = InferRequestDecoder.Decode(Segments.Cut(bytes, size));
            Assert.Equal("b", message.ModelName);
            var tensor = Assert.Single(message.Inputs);
            Assert.Equal([1, 2, 3, 4], tensor.Shape);
            Assert.Equal([0x35, 0, 0, 0x80, 0x3F, 0x35, 0, 0, 0, 0x40], tensor.Contents!.Value.ToArray());
        }
    }

    [Fact]
    public void Decode_TruncatedOrMutated_ThrowsNothingButInferenceException()
    {
        var random = new RandomMessages(seed: 2);
        var (accepted, refused) = (0, 0);
        for (var round = 0; round < 300; round++)
        {
            var bytes = random.Request().ToByteArray();
            for (var change = 0; change < 10 && bytes.Length > 0; change++)
            {
                var mutated = bytes[..(change == 0 ? random.Next(bytes.Length) : bytes.Length)];
                for (var i = 0; i < change && mutated.Length > 0; i++)
                {
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                }

                var exception = Record.Exception(() => InferRequestDecoder.Decode(Segments.Cut(mutated, 1 + random.Next(50))));
                Assert.True(exception is null or InferenceException { Error.Code: ErrorCode.Internal }, exception?.ToString());
                _ = exception is null ? accepted++ : refused++;
            }
        }

        Assert.True(accepted > 0 && refused > 0);
    }

    [Fact]
    public void Decode_MoreEntriesThanAnyModelHas_IsRefused()
    {
        var bytes = Enumerable.Repeat((byte[])[0x2A, 0], 70_000).SelectMany(pair => pair).ToArray();
        var exception = Assert.Throws<InferenceException>(() => InferRequestDecoder.Decode(new ReadOnlySequence<byte>(bytes)));
        Assert.Equal(ErrorCode.InvalidArgument, exception.Error.Code);
    }

    [Theory]
    [InlineData(new byte[] { 0x0A, 1, 0xFF })]
    [InlineData(new byte[] { 0x00 })]
    [InlineData(new byte[] { 0x0C })]
    [InlineData(new byte[] { 0x0F })]
    [InlineData(new byte[] { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01 })]
    [InlineData(new byte[] { 0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F })]
    public void Decode_NoMessage_IsInternal(byte[] bytes)
    {
        var exception = Assert.Throws<InferenceException>(() => InferRequestDecoder.Decode(new ReadOnlySequence<byte>(bytes)));
        Assert.Equal(ErrorCode.Internal, exception.Error.Code);
    }

    private static ModelInferRequest Rebuild(InferMessage message)
    {
        var request = new ModelInferRequest { ModelName = message.ModelName, ModelVersion = message.ModelVersion, Id = message.Id };
        AddParameters(request.Parameters, message.Parameters);
        request.RawInputContents.AddRange(message.RawContents.Select(raw => ByteString.CopyFrom(raw.ToArray())));
        foreach (var tensor in message.Inputs)
        {
            var input = new ModelInferRequest.Types.InferInputTensor
            {
                Name = ByteString.CopyFrom(tensor.Name.Span).ToStringUtf8(),
                Datatype = ByteString.CopyFrom(tensor.DataType.Span).ToStringUtf8(),
                Shape = { tensor.Shape },
                Contents = tensor.Contents is { } contents ? InferTensorContents.Parser.ParseFrom(contents.Span) : null,
            };
            AddParameters(input.Parameters, tensor.Parameters);
            request.Inputs.Add(input);
        }

        foreach (var tensor in message.Outputs ?? [])
        {
            var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = ByteString.CopyFrom(tensor.Name.Span).ToStringUtf8() };
            AddParameters(output.Parameters, tensor.Parameters);
            request.Outputs.Add(output);
        }

        return request;
    }

    private static void AddParameters(IDictionary<string, InferParameter> target, List<(string Key, ParameterValue? Value)>? parameters)
    {
        foreach (var (key, value) in parameters ?? [])
        {
            target[key] = value switch
            {
                null => new InferParameter(),
                { Kind: ParameterKind.Bool } flag => new InferParameter { BoolParam = flag.AsBool },
                { Kind: ParameterKind.Int64 } number => new InferParameter { Int64Param = number.AsInt64 },
                { Kind: ParameterKind.Uint64 } number => new InferParameter { Uint64Param = number.AsUint64 },
                { Kind: ParameterKind.Double } number => new InferParameter { DoubleParam = number.AsDouble },
                { } text => new InferParameter { StringParam = text.AsString },
            };
        }
    }
}
