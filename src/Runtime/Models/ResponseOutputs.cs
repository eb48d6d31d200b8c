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

        selected.Own(outputs);
        return selected;
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
        if (outputs.Count != config.Outputs.Count)
        {
            return false;
        }

        for (var i = 0; i < outputs.Count; i++)
        {
            if (outputs[i].Name != config.Outputs[i].Name || config.Outputs[i].Reshape is not null)
            {
                return false;
            }
        }

        return true;
    }
}
