using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Host.Grpc;

/// <summary>A ModelInferResponse before it is bytes: it shows the response's memory and owns none.</summary>
internal sealed record InferReply
{
    public string ModelName { get; init; } = "";

    /// <summary>0 leaves the version out.</summary>
    public long ModelVersion { get; init; }

    public string Id { get; init; } = "";

    public IReadOnlyDictionary<string, ParameterValue>? Parameters { get; init; }

    /// <summary>Null for a response without outputs, such as an error or an empty last one.</summary>
    public TensorSet? Outputs { get; init; }

    /// <summary>The outputs that went to shared memory.</summary>
    public IReadOnlyList<OutputPlacement>? Placements { get; init; }

    /// <summary>Null outside streams; inside, whether this is the request's last response.</summary>
    public bool? IsFinal { get; init; }

    /// <summary>Null outside streams; inside, why the request failed, empty for success.</summary>
    public string? StreamError { get; init; }

    public static InferReply From(InferenceResponse response, IReadOnlyList<OutputPlacement>? placements) => new()
    {
        ModelName = response.ModelName,
        ModelVersion = response.ModelVersion,
        Id = response.Id,
        Parameters = response.Parameters,
        Outputs = response.Outputs,
        Placements = placements,
    };

    public OutputPlacement? PlacementOf(string output) => Placements?.FirstOrDefault(placement => placement.Output == output);
}
