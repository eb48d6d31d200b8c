using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>
/// A small request by which the host sees whether a model still executes: its first warm-up sample, or else zeros. It goes
/// through the model's queue to an instance as any other, but alone, past every limit and cache, and is not counted.
/// </summary>
public sealed class ModelProbe
{
    private volatile bool _isTaken;

    private ModelProbe()
    {
    }

    /// <summary>Ends with the probe: null for an answer, or what became of it.</summary>
    public Task<InferenceError?> Answer { get; private set; } = Task.FromResult<InferenceError?>(null);

    /// <summary>Whether an instance has taken it from the queue.</summary>
    public bool IsTaken
    {
        get => _isTaken;
        internal set => _isTaken = value;
    }

    /// <summary>
    /// Whether a model can be asked: one that has an answer for each request and keeps nothing between them. What a C# function
    /// would make of zeros nobody knows, so it is asked with a warm-up sample or not at all.
    /// </summary>
    public static bool IsPossible(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var config = model.Config;
        return model.AnswersOnce && !config.IsEnsemble && !config.IsDecoupled && config.SequenceBatching is null && (!model.IsAsynchronous || config.Message.ModelWarmup.Count > 0);
    }

    /// <summary>Asks; the caller keeps a lease on the model until the answer.</summary>
    public static ModelProbe Begin(Model model, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        var probe = new ModelProbe();
        probe.Answer = probe.AskAsync(model, cancellation);
        return probe;
    }

    private async Task<InferenceError?> AskAsync(Model model, CancellationToken cancellation)
    {
        try
        {
            using var request = Request(model);
            request.Probe = this;
            using var response = await model.AnswerAsync(request, cancellation).ConfigureAwait(false);
            return response.Error;
        }
        catch (Exception exception)
        {
            return (exception as InferenceException)?.Error ?? InferenceError.Internal(exception.Message);
        }
    }

    private static InferenceRequest Request(Model model)
    {
        var config = model.Config;
        if (config.Message.ModelWarmup is [var sample, ..])
        {
            return ModelWarmup.Request(config, sample, model.Directory);
        }

        var request = new InferenceRequest { Id = "canary" };
        foreach (var input in config.Inputs.Where(input => !input.Optional))
        {
            long[] dims = [.. input.Dims.Select(dimension => Math.Max(1, dimension))];
            long[] shape = config.IsBatching ? [1, .. dims] : dims;

            // An element of BYTES is at least its length, which is 0.
            var size = input.Type == DataType.Bytes ? Shapes.ElementCount(shape) * sizeof(int) : Shapes.ByteSize(input.Type, shape);
            request.Inputs.Rent(input.Name, input.Type, shape, size, out var memory);
            memory.Span.Clear();
        }

        return request;
    }
}
