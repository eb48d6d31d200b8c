using System.Runtime.InteropServices;
using System.Text;
using Runtime.Functions;
using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Tests.Functions;

public sealed class InputsTests : IDisposable
{
    private readonly TensorSet _set = new();

    public void Dispose() => _set.Dispose();

    [Fact]
    public void Get_EveryDatatype_IsItsOwnType()
    {
        Check(DataType.Bool, true);
        Check<byte>(DataType.Uint8, 255);
        Check<ushort>(DataType.Uint16, 65535);
        Check<uint>(DataType.Uint32, uint.MaxValue);
        Check<ulong>(DataType.Uint64, ulong.MaxValue);
        Check<sbyte>(DataType.Int8, -128);
        Check<short>(DataType.Int16, short.MinValue);
        Check(DataType.Int32, int.MinValue);
        Check(DataType.Int64, long.MinValue);
        Check(DataType.Fp16, (Half)0.5f);
        Check(DataType.Fp32, 0.1f);
        Check(DataType.Fp64, 0.1);
    }

    [Fact]
    public void Get_Bf16_IsFloat()
    {
        Add("x", DataType.Bf16, [1], (ushort)0x3FC0);

        Assert.Equal(1.5f, Inputs().Get<float>("x"));
        Assert.Equal(1.5, Inputs().Get<double>("x"));
        Assert.Throws<FunctionException>(() => Inputs().Get<Half>("x"));
    }

    [Fact]
    public void Get_TypeThatHoldsAllValues_Widens()
    {
        Add("x", DataType.Int8, [1], (sbyte)-3);
        Add("y", DataType.Uint16, [1], (ushort)40000);
        Add("h", DataType.Fp16, [1], (Half)0.25f);

        Assert.Equal(-3, Inputs().Get<int>("x"));
        Assert.Equal(-3L, Inputs().Get<long>("x"));
        Assert.Equal(-3f, Inputs().Get<float>("x"));
        Assert.Equal((short)-3, Inputs().Get<short>("x"));
        Assert.Equal(40000u, Inputs().Get<uint>("y"));
        Assert.Equal(40000ul, Inputs().Get<ulong>("y"));
        Assert.Equal(0.25f, Inputs().Get<float>("h"));
        Assert.Equal(0.25, Inputs().Get<double>("h"));
    }

    [Fact]
    public void Get_TypeThatMightNotHoldIt_NamesInputDatatypeAndType()
    {
        Add("x", DataType.Int64, [1], 1L);

        Assert.Equal("input 'x' is INT64, which cannot be read as Int32", Assert.Throws<FunctionException>(() => Inputs().Get<int>("x")).Message);
        Assert.Equal("input 'x' is INT64, which cannot be read as Double", Assert.Throws<FunctionException>(() => Inputs().Get<double>("x")).Message);
        Assert.Equal("input 'x' is INT64, which cannot be read as String", Assert.Throws<FunctionException>(() => Inputs().Get<string>("x")).Message);
        Assert.Equal("input 'x' is INT64, which cannot be read as Boolean", Assert.Throws<FunctionException>(() => Inputs().Get<bool>("x")).Message);
        Assert.Throws<FunctionException>(() => Inputs().Get<DateTime>("x"));
    }

    [Fact]
    public void Get_Texts_AsStringOrBytes()
    {
        AddTexts("text", [1], "grün");

        Assert.Equal("grün", Inputs().Get<string>("text"));
        Assert.Equal(Encoding.UTF8.GetBytes("grün"), Inputs().Get<byte[]>("text"));
        Assert.Equal("input 'text' is BYTES, which cannot be read as Int32", Assert.Throws<FunctionException>(() => Inputs().Get<int>("text")).Message);
    }

    [Fact]
    public void Get_Absent_IsTheFallbackOrAFault()
    {
        AddTexts("prompt", [1], "a");

        Assert.Equal(7, Inputs().Get("count", 7));
        Assert.False(Inputs().TryGet<int>("count", out _));
        Assert.False(Inputs().Contains("count"));
        Assert.True(Inputs().Contains("prompt"));
        var missing = Assert.Throws<FunctionException>(() => Inputs().Get<int>("count"));
        Assert.Equal("input 'count' is missing; there is 'prompt'", missing.Message);
        Assert.Equal(ErrorCode.InvalidArgument, missing.Code);
    }

    [Fact]
    public void Get_ArrayAskedAsScalar_SaysHowToReadIt()
    {
        Add("x", DataType.Fp32, [3], 1f, 2f, 3f);

        Assert.Equal("input 'x' is FP32 of shape [3], which is no scalar; read it with GetArray", Assert.Throws<FunctionException>(() => Inputs().Get<float>("x")).Message);
        Assert.Equal([1f, 2f, 3f], Inputs().GetArray<float>("x"));
        Assert.Equal([1.0, 2.0, 3.0], Inputs().GetArray<double>("x"));
    }

    [Fact]
    public void Get_OneElementOfAnyRank_IsAScalar()
    {
        Add("x", DataType.Int32, [1, 1], 5);

        Assert.Equal(5, Inputs().Get<int>("x"));
        Assert.Equal([5], Inputs().GetArray<int>("x"));
    }

    [Fact]
    public void Get_OfARow_IsThatRowsOwn()
    {
        Add("x", DataType.Int32, [2, 2], 1, 2, 3, 4);
        AddTexts("text", [2, 1], "first", "second");

        Assert.Equal([1, 2], Inputs(0).GetArray<int>("x"));
        Assert.Equal([3, 4], Inputs(1).GetArray<int>("x"));
        Assert.Equal("first", Inputs(0).Get<string>("text"));
        Assert.Equal("second", Inputs(1).Get<string>("text"));
        Assert.Equal([2L], Inputs(1).GetTensor("x").Shape);
    }

    [Fact]
    public void GetTensor_ShowsDatatypeShapeAndElements()
    {
        Add("x", DataType.Fp32, [2, 1], 1f, 2f);

        var tensor = Inputs().GetTensor("x");

        Assert.Equal(DataType.Fp32, tensor.Type);
        Assert.Equal([2L, 1L], tensor.Shape);
        Assert.Equal([1f, 2f], tensor.AsSpan<float>().ToArray());
        Assert.Throws<InvalidOperationException>(() => tensor.AsSpan<int>().Length);
    }

    [Fact]
    public void Get_AfterTheCall_IsRefused()
    {
        Add("x", DataType.Int32, [1], 5);
        var inputs = Inputs();
        var tensor = inputs.GetTensor("x");
        inputs.Release();

        Assert.Throws<ObjectDisposedException>(() => inputs.Get<int>("x"));
        Assert.Throws<ObjectDisposedException>(() => tensor.Data);
    }

    private void Check<T>(DataType type, T value)
        where T : unmanaged
    {
        Add(type.Name(), type, [1], value);
        Assert.Equal(value, Inputs().Get<T>(type.Name()));
    }

    private Inputs Inputs(int? row = null) => new(_set, row, new FunctionRequest(new InferenceRequest(), null!, default));

    private void Add<T>(string name, DataType type, long[] shape, params T[] values)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values.AsSpan());
        _set.Rent(name, type, shape, bytes.Length, out var memory);
        bytes.CopyTo(memory.Span);
    }

    private void AddTexts(string name, long[] shape, params string[] texts) => _set.Add(new Tensor(name, DataType.Bytes, shape, Elements.Encode(texts)));
}
