using Microsoft.ML.OnnxRuntime;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Onnx;

/// <summary>
/// The CUDA graphs of one instance, one for each size of batch. ONNX Runtime captures a graph in the first execution of its
/// shapes, keeps it for the thread that captured it, and replays it on the same memory from then on.
/// </summary>
internal sealed class CudaGraphs(InferenceSession session, SessionDevice device, InputRules rules, OnnxOutput[] outputs) : IDisposable
{
    /// <summary>ONNX Runtime lets go of a graph with its session only; shapes beyond so many run without.</summary>
    private const int MostGraphs = 64;

    /// <summary>While a graph is captured, no other thread may begin to capture one.</summary>
    private static readonly Lock Capture = new();

    private readonly List<CudaGraph> _graphs = [];

    /// <exception cref="InferenceException">The model has a dimension besides the batch's that is not fixed, or strings.</exception>
    public static void CheckShapes(OnnxModel model, ModelConfig config)
    {
        foreach (var (kind, tensor) in model.Inputs.Select(input => ("input", input)).Concat(model.Outputs.Select(output => ("output", output))))
        {
            var dimensions = config.IsBatching && tensor.Shape.Length > 0 ? tensor.Shape.AsSpan(1) : tensor.Shape;
            if (tensor.Type == DataType.Bytes || dimensions.ContainsAnyInRange(long.MinValue, -1))
            {
                throw new InferenceException(
                    ErrorCode.InvalidArgument,
                    $"CUDA graphs need fixed shapes of elements of fixed size, but {kind} '{tensor.Name}' of model '{config.Name}' is {tensor.Type.Name()} of shape {Shapes.Text(tensor.Shape)}; do without graphs");
            }
        }
    }

    /// <summary>Executes checked inputs by the graph of their shapes; null where there is none and can be none.</summary>
    public TensorSet? Run(TensorSet inputs)
    {
        if (_graphs.Find(graph => graph.Fits(inputs)) is { } captured)
        {
            return captured.Run(inputs);
        }

        if (_graphs.Count == MostGraphs || OnnxOutput.Expect(outputs, inputs) is not { } expected)
        {
            return null;
        }

        BoundTensor[] bound = [.. inputs.Tensors.ToArray().Select(input => new BoundTensor(rules[input.Name], rules.ShapeOf(input), input.Shape))];
        var added = new CudaGraph(session, device, bound, expected, _graphs.Count + 1);
        _graphs.Add(added);
        lock (Capture)
        {
            return added.Run(inputs);
        }
    }

    public void Dispose() => _graphs.ForEach(graph => graph.Dispose());
}
