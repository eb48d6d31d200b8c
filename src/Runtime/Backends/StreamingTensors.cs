using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends;

/// <summary>What the small streaming backends ask of their models: to be decoupled, and tensors of certain names and datatypes.</summary>
internal static class StreamingTensors
{
    /// <exception cref="InferenceException">The configuration is not what the backend needs.</exception>
    public static void Require(ModelConfig config, (string Name, DataType Type)[] inputs, (string Name, DataType Type)[] outputs)
    {
        if (!config.IsDecoupled || config.IsBatching)
        {
            throw Invalid($"model '{config.Name}' must be decoupled and of max_batch_size 0 for the {config.Backend} backend");
        }

        Require(config, "input", config.Inputs, inputs);
        Require(config, "output", config.Outputs, outputs);
    }

    /// <summary>A request's input.</summary>
    /// <exception cref="InferenceException">The request lacks it.</exception>
    public static Tensor Get(TensorSet inputs, string name)
        => inputs.Find(name) ?? throw Invalid($"input '{name}' was not given");

    private static void Require(ModelConfig config, string kind, IReadOnlyList<TensorConfig> configured, (string Name, DataType Type)[] required)
    {
        var matching = required.Count(tensor => configured.Any(candidate => candidate.Name == tensor.Name && candidate.Type == tensor.Type));
        if (matching != required.Length || configured.Count != required.Length)
        {
            var wanted = string.Join(", ", required.Select(tensor => $"{tensor.Name} ({tensor.Type.ConfigName()})"));
            var found = string.Join(", ", configured.Select(tensor => $"{tensor.Name} ({tensor.Type.ConfigName()})"));
            throw Invalid($"the {kind}s of model '{config.Name}' must be {wanted} for the {config.Backend} backend, got {found}");
        }
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
