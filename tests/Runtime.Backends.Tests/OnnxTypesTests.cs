using Runtime.Tensors;

namespace Runtime.Backends.Tests;

public sealed class OnnxTypesTests : PoolTest
{
    [Theory]
    [InlineData("bool", DataType.Bool)]
    [InlineData("uint8", DataType.Uint8)]
    [InlineData("uint16", DataType.Uint16)]
    [InlineData("uint32", DataType.Uint32)]
    [InlineData("uint64", DataType.Uint64)]
    [InlineData("int8", DataType.Int8)]
    [InlineData("int16", DataType.Int16)]
    [InlineData("int32", DataType.Int32)]
    [InlineData("int64", DataType.Int64)]
    [InlineData("fp16", DataType.Fp16)]
    [InlineData("bf16", DataType.Bf16)]
    [InlineData("fp32", DataType.Fp32)]
    [InlineData("fp64", DataType.Fp64)]
    public void Execute_IdentityOfAType_GivesTheSameBytes(string name, DataType type)
    {
        using var model = TestModel.Load("identity_" + name);
        Assert.Equal((type, type), (model.Signature.Inputs[0].Type, model.Signature.Outputs[0].Type));
        Assert.Equal([-1, -1], model.Signature.Inputs[0].Shape);
        foreach (var columns in (int[])[3, 3, 0, 100_000])
        {
            var bytes = Enumerable.Range(0, columns * type.Size()).Select(i => (byte)(type == DataType.Bool ? i % 2 : i)).ToArray();
            using var inputs = new TensorSet().With("IN", type, [1, columns], bytes);
            using var outputs = model.Execute(inputs);
            Assert.Equal(type, outputs[0].Type);
            Assert.Equal([1, columns], outputs[0].Shape);
            Assert.Equal(bytes, outputs[0].Data.ToArray());
        }
    }

    [Fact]
    public void Execute_Strings_PassTheirBytesUnreadUpToANul()
    {
        using var model = TestModel.Load("identity_string");
        byte[][] elements = ["a\0b"u8.ToArray(), [], [0xFF, 0xFE, 0], "wörld 中😀"u8.ToArray()];
        byte[][] expected = ["a"u8.ToArray(), [], [0xFF, 0xFE], "wörld 中😀"u8.ToArray()];
        using var inputs = new TensorSet().With("IN", [2, 2], elements);
        using var outputs = model.Execute(inputs);
        Assert.Equal(DataType.Bytes, outputs[0].Type);
        Assert.Equal([2, 2], outputs[0].Shape);
        using var wanted = new TensorSet().With("OUT", [2, 2], expected);
        Assert.Equal(wanted[0].Data.ToArray(), outputs[0].Data.ToArray());
    }

    [Fact]
    public void Execute_NoStrings_GivesNone()
    {
        using var model = TestModel.Load("identity_string");
        using var inputs = new TensorSet().With("IN", [1, 0]);
        using var outputs = model.Execute(inputs);
        Assert.Equal([1, 0], outputs[0].Shape);
        Assert.Equal(0, outputs[0].Data.Length);
    }
}
