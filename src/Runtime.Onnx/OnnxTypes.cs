using Microsoft.ML.OnnxRuntime;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using ElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace Runtime.Onnx;

/// <summary>A tensor as the session declares it; a symbol is a dimension's name, empty where it has none.</summary>
internal sealed record OnnxTensor(string Name, DataType Type, ElementType ElementType, long[] Shape, string[] Symbols)
{
    /// <summary>The declaration, without ONNX Runtime's names, and with -1 for a dimension of 0, which no configuration may have.</summary>
    public TensorSpec Spec => new(Name, Type, Array.ConvertAll(Shape, dimension => dimension == 0 ? -1 : dimension));

    /// <exception cref="InferenceException">It is not a tensor, or of a type that the protocol has no name for.</exception>
    public static OnnxTensor From(string kind, string name, NodeMetadata metadata)
    {
        if (metadata.OnnxValueType != OnnxValueType.ONNX_TYPE_TENSOR)
        {
            var type = metadata.OnnxValueType.ToString().Replace("ONNX_TYPE_", "", StringComparison.Ordinal).ToLowerInvariant();
            throw new InferenceException(ErrorCode.Unsupported, $"{kind} '{name}' is a {type}; only dense tensors can be served");
        }

        if (!OnnxTypes.TryFrom(metadata.ElementDataType, out var dataType))
        {
            throw new InferenceException(ErrorCode.Unsupported, $"{kind} '{name}' has elements of type {metadata.ElementDataType}, which the protocol does not have");
        }

        return new OnnxTensor(name, dataType, metadata.ElementDataType, Array.ConvertAll(metadata.Dimensions, dimension => (long)dimension), metadata.SymbolicDimensions);
    }
}

/// <summary>Between ONNX Runtime's element types and ours.</summary>
internal static class OnnxTypes
{
    private static readonly Dictionary<ElementType, DataType> Types = new()
    {
        [ElementType.Bool] = DataType.Bool,
        [ElementType.UInt8] = DataType.Uint8,
        [ElementType.UInt16] = DataType.Uint16,
        [ElementType.UInt32] = DataType.Uint32,
        [ElementType.UInt64] = DataType.Uint64,
        [ElementType.Int8] = DataType.Int8,
        [ElementType.Int16] = DataType.Int16,
        [ElementType.Int32] = DataType.Int32,
        [ElementType.Int64] = DataType.Int64,
        [ElementType.Float16] = DataType.Fp16,
        [ElementType.BFloat16] = DataType.Bf16,
        [ElementType.Float] = DataType.Fp32,
        [ElementType.Double] = DataType.Fp64,
        [ElementType.String] = DataType.Bytes,
    };

    public static bool TryFrom(ElementType elementType, out DataType type) => Types.TryGetValue(elementType, out type);
}
