using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>The requests that a configuration wants run before the model serves, so that no client pays for the first one.</summary>
internal static class ModelWarmup
{
    /// <summary>Runs every sample, as often as it says.</summary>
    /// <exception cref="InferenceException">A sample failed, or its data file is not of its tensor's size.</exception>
    public static void Run(Model model, string directory)
    {
        foreach (var sample in model.Config.Message.ModelWarmup)
        {
            for (var run = 0; run < Math.Max((uint)model.LeastWarmupRuns, sample.Count); run++)
            {
                using var request = Request(model.Config, sample, directory);
                using var response = model.InferAsync(request, CancellationToken.None).AsTask().GetAwaiter().GetResult();
                if (response.Error is not null)
                {
                    throw new InferenceException(response.Error with { Message = $"warm-up sample '{sample.Name}' of model '{model.Name}' failed: {response.Error.Message}" });
                }
            }
        }
    }

    /// <summary>The request of a sample; the caller disposes it.</summary>
    /// <exception cref="InferenceException">Its data file is not of its tensor's size.</exception>
    public static InferenceRequest Request(ModelConfig config, Protocol.ModelWarmup sample, string directory)
    {
        var request = new InferenceRequest { Id = $"warm-up {sample.Name}", SequenceId = config.SequenceBatching is null ? 0 : ulong.MaxValue, SequenceStart = true, SequenceEnd = true };
        try
        {
            foreach (var (name, input) in sample.Inputs)
            {
                long[] shape = config.IsBatching ? [Math.Max(1u, sample.BatchSize), .. input.Dims] : [.. input.Dims];
                Fill(request, name, (ConfigDataTypes.From(input.DataType), shape), (input, Path.Combine(directory, "warmup", input.InputDataFile)));
            }

            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private static void Fill(InferenceRequest request, string name, (DataType Type, long[] Shape) tensor, (Protocol.ModelWarmup.Types.Input Input, string File) source)
    {
        var size = tensor.Type == DataType.Bytes ? Shapes.ElementCount(tensor.Shape) * 4 : Shapes.ByteSize(tensor.Type, tensor.Shape);
        var content = source.Input.HasInputDataFile ? File.ReadAllBytes(source.File) : null;
        if (content is not null && tensor.Type != DataType.Bytes && content.Length != size)
        {
            throw new InferenceException(ErrorCode.InvalidArgument, $"warm-up file warmup/{source.Input.InputDataFile} must have {size} bytes for input '{name}', and has {content.Length}");
        }

        request.Inputs.Rent(name, tensor.Type, tensor.Shape, content?.Length ?? size, out var memory);
        memory.Span.Clear();
        content?.CopyTo(memory);
        if (source.Input.RandomData && tensor.Type != DataType.Bytes && tensor.Type != DataType.Bool)
        {
            Random.Shared.NextBytes(memory.Span);
        }
    }
}
