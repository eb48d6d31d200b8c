using System.Buffers;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>What turns requests into one batch's tensors, and checks what came back before it is cut apart.</summary>
internal static class Batch
{
    /// <summary>Whether a batch is one request that goes to the instance as it came.</summary>
    public static bool IsGathered(List<PendingRequest> batch) => batch.Count == 1 && !(batch[0].Padding?.Pads(batch[0]) ?? false);

    /// <summary>The requests' inputs, one behind the other along the first dimension, padded where the model pads, in new memory, which comes from <paramref name="source"/> if there is one.</summary>
    public static TensorSet Gather(List<PendingRequest> batch, MemoryPool<byte>? source)
    {
        var (model, padding) = (batch[0].Inputs, batch[0].Padding);
        var gathered = new TensorSet(capacity: model.Count)
        {
            Source = source,
            AllowsDeviceOutputs = batch.TrueForAll(static request => request.Inputs.AllowsDeviceOutputs),
        };
        try
        {
            for (var i = 0; i < model.Count; i++)
            {
                if (padding is null || !padding.TryGather(batch, i, gathered))
                {
                    Gather(batch, i, gathered);
                }
            }
        }
        catch
        {
            gathered.Dispose();
            throw;
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

    private static void Gather(List<PendingRequest> batch, int position, TensorSet gathered)
    {
        var model = batch[0].Inputs[position];
        if (batch.Count == 1)
        {
            gathered.Add(model); // its memory stays the request's
            return;
        }

        long rows = 0;
        long bytes = 0;
        foreach (var request in batch)
        {
            rows += request.Inputs[position].Shape[0];
            bytes += request.Inputs[position].Data.Length;
        }

        long[] shape = [rows, .. model.Shape.AsSpan(1)];
        if (JoinOnDevice(batch, position) is { } joined)
        {
            gathered.Add(new Tensor(model.Name, model.Type, shape, joined.Memory), joined);
            return;
        }

        gathered.Rent(model.Name, model.Type, shape, bytes, out var memory);
        foreach (var request in batch)
        {
            var data = request.Inputs[position].Data;
            data.CopyTo(memory);
            memory = memory[data.Length..];
        }
    }

    /// <summary>The inputs in the memory of the one device on which all of them lie; null where they do not.</summary>
    private static DeviceMemory? JoinOnDevice(List<PendingRequest> batch, int position)
    {
        if (DeviceMemory.TryGet(batch[0].Inputs[position].Data, out _, out _) is not { } first)
        {
            return null;
        }

        var parts = new ReadOnlyMemory<byte>[batch.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = batch[i].Inputs[position].Data;
            if (DeviceMemory.TryGet(parts[i], out _, out _)?.Device != first.Device)
            {
                return null;
            }
        }

        return first.Join(parts);
    }
}
