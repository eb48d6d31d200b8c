using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>A tensor of one execution: its declaration, the shape that ONNX Runtime is told, and the shape that clients see.</summary>
internal readonly record struct BoundTensor(OnnxTensor Tensor, long[] BoundShape, long[] Shape)
{
    /// <summary>Whether a client's tensor has this name, type and shape.</summary>
    public bool Fits(Tensor other) => other.Name == Tensor.Name && other.Type == Tensor.Type && other.Shape.AsSpan().SequenceEqual(Shape);
}
