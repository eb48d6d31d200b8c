using Runtime.Tensors;

namespace Runtime.Inference;

/// <summary>One response: outputs, or an error. The receiver disposes it when its tensors have been written out.</summary>
public sealed class InferenceResponse : IDisposable
{
    public InferenceResponse(string modelName, long modelVersion, string id, TensorSet outputs)
        => (ModelName, ModelVersion, Id, Outputs) = (modelName, modelVersion, id, outputs);

    public InferenceResponse(string modelName, long modelVersion, string id, InferenceError error)
        : this(modelName, modelVersion, id, new TensorSet(capacity: 0))
        => Error = error;

    public string ModelName { get; }

    public long ModelVersion { get; }

    public string Id { get; }

    /// <summary>In the model's order, whatever order the request asked in; empty beside an error.</summary>
    public TensorSet Outputs { get; }

    /// <summary>Null when the request succeeded.</summary>
    public InferenceError? Error { get; }

    /// <summary>The response's parameters; null for none.</summary>
    public Dictionary<string, ParameterValue>? Parameters { get; set; }

    public void Dispose() => Outputs.Dispose();
}
