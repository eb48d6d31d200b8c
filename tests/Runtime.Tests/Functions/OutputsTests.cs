using Runtime.Functions;
using Runtime.Functions.Conversion;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Tests.Functions;

public class OutputsTests
{
    public static TheoryData<object, DataType, string> Values => new()
    {
        { true, DataType.Bool, "[1]" },
        { (byte)1, DataType.Uint8, "[1]" },
        { (ushort)1, DataType.Uint16, "[1]" },
        { 1u, DataType.Uint32, "[1]" },
        { 1ul, DataType.Uint64, "[1]" },
        { (sbyte)1, DataType.Int8, "[1]" },
        { (short)1, DataType.Int16, "[1]" },
        { 1, DataType.Int32, "[1]" },
        { 1L, DataType.Int64, "[1]" },
        { (Half)1, DataType.Fp16, "[1]" },
        { 1f, DataType.Fp32, "[1]" },
        { 0.39, DataType.Fp64, "[1]" },
        { 0.39m, DataType.Fp64, "[1]" },
        { "text", DataType.Bytes, "[1]" },
        { new byte[] { 1, 2 }, DataType.Bytes, "[1]" },
        { new ReadOnlyMemory<byte>([1, 2]), DataType.Bytes, "[1]" },
        { new[] { 1, 2, 3 }, DataType.Int32, "[3]" },
        { new[] { 1u, 2u }, DataType.Uint32, "[2]" },
        { new[] { 1ul }, DataType.Uint64, "[1]" },
        { new sbyte[] { 1 }, DataType.Int8, "[1]" },
        { new ushort[] { 1 }, DataType.Uint16, "[1]" },
        { new[] { true, false }, DataType.Bool, "[2]" },
        { new List<byte> { 1, 2 }, DataType.Uint8, "[2]" },
        { new List<long> { 1, 2 }, DataType.Int64, "[2]" },
        { Enumerable.Range(0, 4).Select(i => i * 0.5), DataType.Fp64, "[4]" },
        { Array.Empty<float>(), DataType.Fp32, "[0]" },
        { new[] { "a", "b" }, DataType.Bytes, "[2]" },
        { new List<string>(), DataType.Bytes, "[0]" },
        { new byte[][] { [1], [] }, DataType.Bytes, "[2]" },
        { new[,] { { 1f, 2f, 3f }, { 4f, 5f, 6f } }, DataType.Fp32, "[2,3]" },
        { new[,,] { { { 1L } } }, DataType.Int64, "[1,1,1]" },
        { new[,] { { "a" }, { "b" } }, DataType.Bytes, "[2,1]" },
        { new float[][] { [1, 2], [3, 4], [5, 6] }, DataType.Fp32, "[3,2]" },
        { new List<List<int>> { new() { 1 }, new() { 2 } }, DataType.Int32, "[2,1]" },
        { new object[] { 1.5, 2.5 }, DataType.Fp64, "[2]" },
        { new object[] { "a", "b" }, DataType.Bytes, "[2]" },
        { TensorValue.Create([1, 2, 3, 4], 2, 2), DataType.Int32, "[2,2]" },
        { TensorValue.Create(DataType.Bf16, new byte[] { 0, 0 }, 1), DataType.Bf16, "[1]" },
    };

    public static TheoryData<object, string> Nested => new()
    {
        { new Dictionary<string, double> { ["x"] = 0.5 }, """{"x":0.5}""" },
        { new { Name = "a", Sizes = new[] { 1, 2 } }, """{"Name":"a","Sizes":[1,2]}""" },
        { new object[] { 1, "a" }, """[1,"a"]""" },
        { new[] { new Dictionary<string, object> { ["a"] = 1 } }, """[{"a":1}]""" },
        { new Outputs { ["a"] = 1 }.ToDictionary(entry => entry.Key, entry => entry.Value), """{"a":1}""" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Convert_Value_HasDatatypeAndShape(object value, DataType type, string shape)
    {
        var tensor = OutputValue.Convert(value);

        Assert.Equal(type, tensor.Type);
        Assert.Equal(shape, Shapes.Text([.. tensor.Shape]));
        var elements = Shapes.ElementCount([.. tensor.Shape]);
        Assert.Equal(elements, type == DataType.Bytes ? Elements.Count(tensor.Data.Span) : tensor.Data.Length / type.Size());
    }

    [Theory]
    [MemberData(nameof(Nested))]
    public void Convert_NestedValue_IsJsonText(object value, string json)
    {
        var tensor = OutputValue.Convert(value);

        Assert.Equal(DataType.Bytes, tensor.Type);
        Assert.Equal(Elements.Encode([json]), tensor.Data.ToArray());
    }

    [Fact]
    public void Convert_Grid_IsRowMajor()
        => Assert.Equal([1, 2, 3, 4], OutputValue.Convert(new[,] { { 1, 2 }, { 3, 4 } }).AsSpan<int>().ToArray());

    [Fact]
    public void Write_NoTensorAndNoJson_NamesTheOutput()
    {
        Assert.Equal("function 'f' gave an output 'x' that is null; leave it away or give it a value", Fault(new Outputs { ["x"] = null }));
        Assert.StartsWith("function 'f' gave an output 'x' that has rows of different lengths", Fault(new Outputs { ["x"] = new int[][] { [1], [1, 2] } }), StringComparison.Ordinal);
        Assert.StartsWith("function 'f' gave an output 'x' that is a Action, which is no tensor and cannot be JSON", Fault(new Outputs { ["x"] = () => { } }), StringComparison.Ordinal);
        Assert.Contains("has a null among its texts", Fault(new Outputs { ["x"] = new[] { "a", null } }), StringComparison.Ordinal);
        Assert.Equal("function 'f' returned null instead of outputs", Fault(null));
    }

    [Fact]
    public void Write_NotAsDeclared_SaysBoth()
        => Assert.Equal("function 'f' gave output 'y' as FP64 [2]; its configuration says FP32 [-1]", Fault(new Outputs { ["y"] = new[] { 1.0, 2.0 } }));

    [Fact]
    public void Write_ModelThatBatches_AddsTheBatchDimension()
    {
        using var outputs = Writer(maxBatchSize: 4).Write(new Outputs { ["a"] = 1, ["b"] = new[] { 1f, 2f } });

        Assert.Equal([1L, 1L], outputs.Find("a")!.Shape);
        Assert.Equal([1L, 2L], outputs.Find("b")!.Shape);
    }

    [Fact]
    public void Write_Rows_AreStacked()
    {
        using var outputs = Writer(maxBatchSize: 4).Write([new Outputs { ["a"] = "x" }, new Outputs { ["a"] = "longer" }], 0, 2);

        Assert.Equal([2L, 1L], outputs.Find("a")!.Shape);
        Assert.Equal(Elements.Encode(["x", "longer"]), outputs.Find("a")!.Data.ToArray());
    }

    [Fact]
    public void Write_RowsThatDiffer_AreRefused()
    {
        var writer = Writer(maxBatchSize: 4);

        var shapes = Assert.Throws<InferenceException>(() => writer.Write([new Outputs { ["a"] = 1 }, new Outputs { ["a"] = new[] { 1, 2 } }], 0, 2));
        var names = Assert.Throws<InferenceException>(() => writer.Write([new Outputs { ["a"] = 1 }, new Outputs { ["b"] = 1 }], 0, 2));

        Assert.Equal("function 'f' gave output 'a' as INT32 [1] and as INT32 [2] for rows of one request; they must be alike", shapes.Message);
        Assert.Equal("function 'f' gave output 'a' for some rows of a request and not for others", names.Message);
    }

    [Fact]
    public void TensorValue_CountUnlikeShape_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => TensorValue.Create(DataType.Fp32, new byte[4], 2));
        Assert.Throws<ArgumentException>(() => TensorValue.Create(["a"], 2));
        Assert.Throws<ArgumentException>(() => TensorValue.Create(DataType.Bytes, new byte[] { 9, 0, 0, 0 }, 1));
    }

    [Fact]
    public void Outputs_SameNameTwice_KeepsTheLaterInTheFirstPlace()
    {
        var outputs = new Outputs { ["a"] = 1, ["b"] = 2 };
        outputs["a"] = 3;

        Assert.Equal(["a", "b"], outputs.Select(entry => entry.Key));
        Assert.Equal(3, outputs["a"]);
        Assert.Throws<KeyNotFoundException>(() => outputs["c"]);
    }

    private static string Fault(Outputs? outputs) => Assert.Throws<InferenceException>(() => Writer().Write(outputs)).Message;

    private static OutputTensors Writer(int maxBatchSize = 0)
    {
        var message = new Protocol.ModelConfig { Name = "f", Backend = "csharp", MaxBatchSize = maxBatchSize };
        message.Output.Add(new Protocol.ModelOutput { Name = "y", DataType = Protocol.DataType.TypeFp32, Dims = { -1 } });
        return new OutputTensors(ModelConfig.From(message));
    }
}
