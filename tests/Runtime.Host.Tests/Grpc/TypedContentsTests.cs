using System.Runtime.InteropServices;
using Google.Protobuf;
using Runtime.Host.Grpc;
using Runtime.Inference;
using Runtime.Protocol;
using Runtime.Tensors;
using DataType = Runtime.Tensors.DataType;

namespace Runtime.Host.Tests.Grpc;

public sealed class TypedContentsTests
{
    [Fact]
    public void Add_EveryListOfItsDatatype_IsLittleEndianMemory()
    {
        AssertBytes(DataType.Bool, new InferTensorContents { BoolContents = { true, false } }, [1, 0]);
        AssertBytes(DataType.Int8, new InferTensorContents { IntContents = { -128, 127 } }, [0x80, 0x7F]);
        AssertBytes(DataType.Int16, new InferTensorContents { IntContents = { -2, 1 } }, [0xFE, 0xFF, 1, 0]);
        AssertBytes(DataType.Int32, new InferTensorContents { IntContents = { int.MinValue, 3 } }, [0, 0, 0, 0x80, 3, 0, 0, 0]);
        AssertBytes(DataType.Int64, new InferTensorContents { Int64Contents = { -1, long.MaxValue } }, MemoryMarshal.AsBytes<long>([-1, long.MaxValue]).ToArray());
        AssertBytes(DataType.Uint8, new InferTensorContents { UintContents = { 0, 255 } }, [0, 255]);
        AssertBytes(DataType.Uint16, new InferTensorContents { UintContents = { 65535 } }, [255, 255]);
        AssertBytes(DataType.Uint32, new InferTensorContents { UintContents = { uint.MaxValue } }, [255, 255, 255, 255]);
        AssertBytes(DataType.Uint64, new InferTensorContents { Uint64Contents = { ulong.MaxValue, 1 } }, MemoryMarshal.AsBytes<ulong>([ulong.MaxValue, 1]).ToArray());
        AssertBytes(DataType.Fp32, new InferTensorContents { Fp32Contents = { 1.5f, -0f } }, MemoryMarshal.AsBytes<float>([1.5f, -0f]).ToArray());
        AssertBytes(DataType.Fp64, new InferTensorContents { Fp64Contents = { 0.1 } }, MemoryMarshal.AsBytes<double>([0.1]).ToArray());
        AssertBytes(DataType.Bytes, new InferTensorContents { BytesContents = { ByteString.CopyFrom(7, 8), ByteString.Empty } }, [2, 0, 0, 0, 7, 8, 0, 0, 0, 0]);
        AssertBytes(DataType.Fp16, new InferTensorContents(), []);
    }

    [Theory]
    [InlineData(DataType.Int8, 128)]
    [InlineData(DataType.Int8, -129)]
    [InlineData(DataType.Int16, 32768)]
    [InlineData(DataType.Int16, int.MinValue)]
    public void Add_IntegerOutOfRange_NamesInputIndexAndRange(DataType type, int value)
    {
        var error = Refusal(type, new InferTensorContents { IntContents = { 0, value } });
        Assert.Equal(ErrorCode.InvalidArgument, error.Code);
        Assert.Contains("'X'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"value {value} at index 1", error.Message, StringComparison.Ordinal);
        Assert.Contains(type == DataType.Int8 ? "-128 to 127" : "-32768 to 32767", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DataType.Uint8, 256)]
    [InlineData(DataType.Uint16, 65536)]
    public void Add_UnsignedOutOfRange_IsRefused(DataType type, uint value)
        => Assert.Contains("out of range", Refusal(type, new InferTensorContents { UintContents = { value } }).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(DataType.Fp16)]
    [InlineData(DataType.Bf16)]
    [InlineData(DataType.Fp64)]
    [InlineData(DataType.Int32)]
    [InlineData(DataType.Bytes)]
    public void Add_ListOfAnotherDatatype_IsRefused(DataType type)
    {
        var error = Refusal(type, new InferTensorContents { Fp32Contents = { 1 } });
        Assert.Equal($"unexpected explicit tensor data for input tensor 'X' for model 'm' of type 'FP32', expected datatype '{type.Name()}'", error.Message);
    }

    [Fact]
    public void Add_TwoLists_IsRefused()
        => Assert.Equal(ErrorCode.InvalidArgument, Refusal(DataType.Int32, new InferTensorContents { IntContents = { 1 }, Int64Contents = { 1 } }).Code);

    [Fact]
    public void Add_RandomContentsMutated_ThrowsNothingButInferenceExceptionAndKeepsNothing()
    {
        var random = new RandomMessages(seed: 3);
        var pool = new TensorPool();
        var types = Enum.GetValues<DataType>();
        var converted = 0;
        for (var round = 0; round < 3000; round++)
        {
            var bytes = random.Contents().ToByteArray();
            if (bytes.Length > 0 && round % 3 > 0)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            using var request = new InferenceRequest(pool);
            var type = types[random.Next(types.Length)];
            var exception = Record.Exception(() => TypedContents.Add(request, "m", new Tensor("X", type, [1], default), bytes));
            Assert.True(exception is null or InferenceException, exception?.ToString());
            converted += exception is null ? 1 : 0;
        }

        Assert.NotEqual(0, converted);
        Assert.Equal(0, pool.Outstanding);
    }

    private static void AssertBytes(DataType type, InferTensorContents contents, byte[] expected)
    {
        using var request = new InferenceRequest();
        TypedContents.Add(request, "m", new Tensor("X", type, [1], default), contents.ToByteArray());
        Assert.Equal(expected, request.Inputs[0].Data.ToArray());
        Assert.Equal(type, request.Inputs[0].Type);
    }

    private static InferenceError Refusal(DataType type, InferTensorContents contents)
    {
        using var request = new InferenceRequest();
        return Assert.Throws<InferenceException>(() => TypedContents.Add(request, "m", new Tensor("X", type, [1], default), contents.ToByteArray())).Error;
    }
}
