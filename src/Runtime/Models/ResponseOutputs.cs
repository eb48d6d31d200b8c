using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>Turns what an instance gave into what the request asked for.</summary>
internal static class ResponseOutputs
{
    /// <summary>
    /// The outputs in the configuration's order, in the shape that clients see, only those asked for, as classes where asked.
    /// Takes over <paramref name="outputs"/> unless it throws.
    /// </summary>
    /// <exception cref="InferenceException">Classes are asked of a datatype that has none, or the instance gave no such output.</exception>
    public static TensorSet Select(TensorSet outputs, InferenceRequest request, ModelConfig config, IReadOnlyDictionary<string, string[]> labels)
    {
        if (request.Outputs.Count == 0 && IsInOrder(outputs, config))
        {
            return outputs;
        }

        var selected = new TensorSet(capacity: config.Outputs.Count + 1);
        foreach (var known in config.Outputs)
        {
            var asked = request.Outputs.Find(output => output.Name == known.Name);
            if (asked is null && request.Outputs.Count > 0)
            {
                continue;
            }

            var tensor = outputs.Find(known.Name);
            if (tensor is null)
            {
                selected.Dispose();
                throw new InferenceException(ErrorCode.Internal, $"model '{config.Name}' gave no output '{known.Name}'");
            }

            AddOne(selected, tensor, known, asked?.ClassificationCount ?? 0, (config, labels));
        }

        if (config.HasOpenOutputs)
        {
            AddOpen(selected, outputs, request, config);
        }

        selected.Own(outputs);
        return selected;
    }

    /// <summary>The outputs that only the instance names, in its order.</summary>
    private static void AddOpen(TensorSet selected, TensorSet outputs, InferenceRequest request, ModelConfig config)
    {
        foreach (var tensor in outputs.Tensors)
        {
            if (RequestCheck.Find(config.Outputs, tensor.Name) is null && (request.Outputs.Count == 0 || request.Outputs.Exists(asked => asked.Name == tensor.Name)))
            {
                selected.Add(tensor);
            }
        }

        var missing = request.Outputs.Find(asked => selected.IndexOf(asked.Name) < 0);
        if (missing is not null)
        {
            selected.Dispose();
            var names = string.Join(", ", outputs.Tensors.ToArray().Select(tensor => $"'{tensor.Name}'"));
            throw new InferenceException(ErrorCode.InvalidArgument, $"unexpected inference output '{missing.Name}' for model '{config.Name}', which gave the outputs {names}");
        }
    }

    private static void AddOne(TensorSet selected, Tensor tensor, TensorConfig known, uint classes, (ModelConfig Config, IReadOnlyDictionary<string, string[]> Labels) model)
    {
        if (known.Reshape is not null)
        {
            tensor = tensor with { Shape = RequestCheck.Reshape(tensor.Shape, known.Dims, model.Config.IsBatching) };
        }

        if (classes == 0)
        {
            selected.Add(tensor);
            return;
        }

        try
        {
            Classification.Add(selected, tensor, classes, model.Labels.GetValueOrDefault(known.Name), model.Config.IsBatching);
        }
        catch
        {
            selected.Dispose();
            throw;
        }
    }

    private static bool IsInOrder(TensorSet outputs, ModelConfig config)
    {
        if (outputs.Count != config.Outputs.Count && !(config.HasOpenOutputs && config.Outputs.Count == 0))
        {
            return false;
        }

        for (var i = 0; i < config.Outputs.Count; i++)
        {
            if (outputs[i].Name != config.Outputs[i].Name || config.Outputs[i].Reshape is not null)
            {
                return false;
            }
        }

        return true;
    }
}
