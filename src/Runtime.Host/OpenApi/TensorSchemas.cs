using System.Globalization;
using Microsoft.OpenApi;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Host.OpenApi;

/// <summary>JSON Schemas of tensors, in the forms in which requests and answers carry them.</summary>
internal static class TensorSchemas
{
    /// <summary>One element.</summary>
    public static OpenApiSchema Element(DataType type) => type switch
    {
        DataType.Bool => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        DataType.Bytes => new OpenApiSchema { Type = JsonSchemaType.String },
        DataType.Fp16 or DataType.Bf16 => new OpenApiSchema { Type = JsonSchemaType.Number },
        DataType.Fp32 => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "float" },
        DataType.Fp64 => new OpenApiSchema { Type = JsonSchemaType.Number, Format = "double" },
        DataType.Int8 => Integer(sbyte.MinValue, (ulong)sbyte.MaxValue),
        DataType.Int16 => Integer(short.MinValue, (ulong)short.MaxValue),
        DataType.Int32 => Integer(int.MinValue, int.MaxValue, "int32"),
        DataType.Int64 => Integer(long.MinValue, long.MaxValue, "int64"),
        DataType.Uint8 => Integer(0, byte.MaxValue),
        DataType.Uint16 => Integer(0, ushort.MaxValue),
        DataType.Uint32 => Integer(0, uint.MaxValue),
        _ => Integer(0, ulong.MaxValue),
    };

    /// <summary>A tensor as a plain value: the element where there is one, otherwise elements in row-major order, nested or flat.</summary>
    public static OpenApiSchema Value(TensorConfig tensor, bool isBatching)
    {
        var array = Array(tensor);
        array.Description = Describe(tensor, isBatching);
        return tensor.Dims.All(dimension => dimension == 1)
            ? new OpenApiSchema { AnyOf = [Element(tensor.Type), array], Description = array.Description }
            : array;
    }

    /// <summary>A tensor as an infer request brings it.</summary>
    public static OpenApiSchema Input(TensorConfig tensor, bool isBatching) => new()
    {
        Type = JsonSchemaType.Object,
        Description = Describe(tensor, isBatching),
        Required = new HashSet<string> { "name", "shape", "datatype" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["name"] = new OpenApiSchema { Type = JsonSchemaType.String, Const = tensor.Name },
            ["shape"] = Shape(),
            ["datatype"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = tensor.Type == DataType.Bytes ? ["BYTES", "STRING"] : [tensor.Type.Name()] },
            ["data"] = Array(tensor),
            ["parameters"] = Parameters(),
        },
    };

    /// <summary>A tensor as the answer to an infer request brings it.</summary>
    public static OpenApiSchema Output(TensorConfig tensor, bool isBatching)
    {
        var schema = Input(tensor, isBatching);
        schema.Properties!["datatype"] = new OpenApiSchema { Type = JsonSchemaType.String, Const = tensor.Type.Name() };
        return schema;
    }

    /// <summary>An output that the model names itself.</summary>
    public static OpenApiSchema OpenOutput() => new()
    {
        Type = JsonSchemaType.Object,
        Required = new HashSet<string> { "name", "shape", "datatype" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["name"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["shape"] = Shape(),
            ["datatype"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["data"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema() },
            ["parameters"] = Parameters(),
        },
    };

    /// <summary>Request or response parameters: strings, numbers and booleans by name.</summary>
    public static OpenApiSchema Parameters() => new()
    {
        Type = JsonSchemaType.Object,
        AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.String | JsonSchemaType.Number | JsonSchemaType.Boolean },
    };

    private static OpenApiSchema Array(TensorConfig tensor)
    {
        var element = Element(tensor.Type);
        var isFlat = tensor.Dims.Length <= 1;
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            Items = isFlat ? element : new OpenApiSchema { AnyOf = [element, new OpenApiSchema { Type = JsonSchemaType.Array }] },
        };
    }

    private static OpenApiSchema Shape()
        => new() { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0" } };

    private static OpenApiSchema Integer(long least, ulong most, string? format = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Format = format,
        Minimum = least.ToString(CultureInfo.InvariantCulture),
        Maximum = most.ToString(CultureInfo.InvariantCulture),
    };

    private static string Describe(TensorConfig tensor, bool isBatching)
        => $"{tensor.Type.Name()} of shape {Shapes.Text(tensor.ClientShape(isBatching))}{(tensor.Optional ? ", optional" : "")}";
}
