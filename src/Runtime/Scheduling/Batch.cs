using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>What turns requests into one batch's tensors, and checks what came back before it is cut apart.</summary>
internal static class Batch
{
    /// <summary>The requests' inputs, one behind the other along the first dimension, in new memory.</summary>
    public static TensorSet Gather(List<PendingRequest> batch)
    {
        var model = batch[0].Inputs;
        var gathered = new TensorSet(capacity: model.Count);
        for (var i = 0; i < model.Count; i++)
        {
            long rows = 0;
            long bytes = 0;
            foreach (var request in batch)
            {
                rows += request.Inputs[i].Shape[0];
                bytes += request.Inputs[i].Data.Length;
            }

            long[] shape = [rows, .. model[i].Shape.AsSpan(1)];
            gathered.Rent(model[i].Name, model[i].Type, shape, bytes, out var memory);
            foreach (var request in batch)
            {
                var data = request.Inputs[i].Data;
                data.CopyTo(memory);
                memory = memory[data.Length..];
            }
        }

        return gathered;
    }

    /// <summary>Outputs of a batching model must have a row for every row of the inputs.</summary>
    /// <exception cref="InferenceException">They have not.</exception>
    public static void Check(TensorSet outputs, int rows, ModelConfig config)
    {
        if (!config.IsBatching)
        {
            return;
        }

        foreach (var output in outputs.Tensors)
        {
            if (output.Shape.Length == 0 || output.Shape[0] != rows)
            {
                throw new InferenceException(
                    ErrorCode.Internal,
                    $"model '{config.Name}' gave output '{output.Name}' of shape {Shapes.Text(output.Shape)} for a batch of {rows}; its first dimension must be the batch's");
            }
        }
    }
}
