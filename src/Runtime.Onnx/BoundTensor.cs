namespace Runtime.Onnx;

/// <summary>A tensor of one execution: its declaration, the shape that ONNX Runtime is told, and the shape that clients see.</summary>
internal readonly record struct BoundTensor(OnnxTensor Tensor, long[] BoundShape, long[] Shape);
