using System.Diagnostics.CodeAnalysis;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Scheduling;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>One step of an ensemble: a model, and which of the ensemble's tensors its inputs and outputs are.</summary>
/// <param name="ModelName">The step's model.</param>
/// <param name="Version">Its version; <see cref="ModelEntry.Latest"/> for the latest at the time of the request.</param>
/// <param name="Inputs">The model's input names and the ensemble's tensor names.</param>
/// <param name="Outputs">The model's output names and the ensemble's tensor names.</param>
internal sealed record EnsembleStep(string ModelName, long Version, IReadOnlyDictionary<string, string> Inputs, IReadOnlyDictionary<string, string> Outputs)
{
    public static IReadOnlyList<EnsembleStep> From(Protocol.ModelEnsembling message) => [.. message.Step.Select(step => new EnsembleStep(
        step.ModelName, step.ModelVersion <= 0 ? ModelEntry.Latest : step.ModelVersion, new Dictionary<string, string>(step.InputMap), new Dictionary<string, string>(step.OutputMap)))];
}

/// <summary>
/// Runs a graph of models as one: a step starts as soon as its tensors are there, so independent steps run side by side.
/// Tensors go from step to step as they are, without a copy.
/// </summary>
internal sealed class Ensemble(string name, IReadOnlyList<EnsembleStep> steps, IReadOnlyList<TensorConfig> outputs, Ensemble.AcquireModel acquire)
{
    private readonly HashSet<string> _stepInputs = [.. steps.SelectMany(step => step.Inputs.Values)];

    /// <summary>Gets a lease on a step's model, or says why not.</summary>
    public delegate InferenceError? AcquireModel(ReadOnlySpan<char> name, long version, out ModelLease lease);

    /// <summary>Runs the steps that the requested outputs need; the outputs are the receiver's to dispose. A failed step fails the request with its name.</summary>
    public async Task<PendingResult> RunAsync(InferenceRequest request, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = StepsFor(request);
        var run = new EnsembleRun(request, waiting.Count);
        var running = new List<Task<(EnsembleStep Step, InferenceResponse Response)>>();
        InferenceError? failure = null;
        do
        {
            foreach (var step in failure is null ? waiting.Where(run.HasInputsOf).ToArray() : [])
            {
                waiting.Remove(step);
                running.Add(RunStepAsync(step, run, stop.Token));
            }

            if (running.Count == 0)
            {
                failure ??= InferenceError.Internal($"{request.Prefix}in ensemble '{name}', no output feeds step '{waiting[0].ModelName}'");
                break;
            }

            var done = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(done);
            var (finished, response) = await done.ConfigureAwait(false);
            if (!run.TryAdd(finished, response, out var error) && failure is null)
            {
                failure = error with { Message = $"{request.Prefix}in ensemble '{name}', step '{finished.ModelName}' failed: {error.Message}" };
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }
        while (running.Count > 0 || (failure is null && waiting.Count > 0));

        return run.Finish(outputs, failure);
    }

    /// <summary>As in Triton, where all outputs are wanted also a step runs that gives none of them.</summary>
    private List<EnsembleStep> StepsFor(InferenceRequest request)
    {
        var needed = request.Outputs.Select(output => output.Name).ToHashSet();
        if (needed.Count == 0 || outputs.All(output => needed.Contains(output.Name)))
        {
            return [.. steps];
        }

        var chosen = new HashSet<EnsembleStep>(ReferenceEqualityComparer.Instance);
        while (steps.FirstOrDefault(step => !chosen.Contains(step) && step.Outputs.Values.Any(needed.Contains)) is { } step)
        {
            chosen.Add(step);
            needed.UnionWith(step.Inputs.Values);
        }

        return [.. steps.Where(chosen.Contains)];
    }

    private async Task<(EnsembleStep Step, InferenceResponse Response)> RunStepAsync(EnsembleStep step, EnsembleRun run, CancellationToken cancellation)
    {
        if (acquire(step.ModelName, step.Version, out var lease) is { } error)
        {
            return (step, new InferenceResponse(step.ModelName, 0, "", error));
        }

        using (lease)
        {
            if (lease.Model.TryEnter(out var slot) is { } busy)
            {
                return (step, new InferenceResponse(step.ModelName, 0, "", busy));
            }

            using var held = slot;
            using var request = run.RequestOf(step);
            request.Inputs.AllowsDeviceOutputs = !lease.Model.Config.IsCached && step.Outputs.Values.Any(_stepInputs.Contains);
            try
            {
                return (step, await lease.Model.InferAsync(request, cancellation).ConfigureAwait(false));
            }
            catch (InferenceException exception) // a check that had to read an input from a device
            {
                return (step, new InferenceResponse(step.ModelName, 0, "", exception.Error));
            }
            catch (InvalidOperationException exception) // it was replaced by one that only streams
            {
                return (step, new InferenceResponse(step.ModelName, 0, "", InferenceError.Internal(exception.Message)));
            }
        }
    }
}

/// <summary>The tensors of one request on its way through an ensemble. Used by one thread at a time.</summary>
internal sealed class EnsembleRun
{
    private readonly InferenceRequest _request;
    private readonly Dictionary<string, (Tensor Tensor, TensorSet Source)> _tensors = [];
    private readonly List<InferenceResponse> _responses = [];
    private readonly int _steps;
    private int _finished;

    public EnsembleRun(InferenceRequest request, int steps)
    {
        (_request, _steps) = (request, steps);
        foreach (var tensor in request.Inputs.Tensors)
        {
            _tensors[tensor.Name] = (tensor, request.Inputs);
        }
    }

    public bool HasInputsOf(EnsembleStep step) => step.Inputs.Values.All(_tensors.ContainsKey);

    /// <summary>The step's own request; it keeps the memory that it shows, since a step that was cancelled may still read it when this run is over.</summary>
    public InferenceRequest RequestOf(EnsembleStep step)
    {
        var request = new InferenceRequest
        {
            Id = _request.Id,
            Parameters = _request.Parameters,
            Priority = _request.Priority,
            TimeoutMicroseconds = _request.TimeoutMicroseconds,
            SequenceId = _request.SequenceId,
            SequenceName = _request.SequenceName,
            SequenceStart = _request.SequenceStart,
            SequenceEnd = _request.SequenceEnd,
            Callers = _request.Callers,
            Context = StepContext(),
        };
        foreach (var (input, name) in step.Inputs)
        {
            request.Inputs.Add(_tensors[name].Tensor with { Name = input });
        }

        request.Inputs.AddOwners([.. step.Inputs.Values.Select(tensor => _tensors[tensor].Source).Distinct().Select(source => source.Hold())]);

        request.Outputs.AddRange(step.Outputs.Keys.Select(output => new RequestedOutput(output)));
        return request;
    }

    /// <summary>Takes over a step's response, and tells how many steps are done while others follow.</summary>
    public bool TryAdd(EnsembleStep step, InferenceResponse response, [NotNullWhen(false)] out InferenceError? error)
    {
        _responses.Add(response);
        error = response.Error;
        foreach (var output in response.Outputs.Tensors)
        {
            var tensor = step.Outputs[output.Name];
            _tensors[tensor] = (output with { Name = tensor }, response.Outputs);
        }

        if (error is null && ++_finished < _steps)
        {
            _request.Context?.Progress?.Report(100d * _finished / _steps);
        }

        return error is null;
    }

    private RequestContext? StepContext() => _request.Context is { Progress: { } progress } context
        ? context with { Progress = new StepProgress(progress, _finished, _steps) }
        : _request.Context;

    /// <summary>Copies outputs from devices, so that whoever writes the answer meets no error; nothing where the receiver copes with devices.</summary>
    private InferenceError? CopyToHost(IReadOnlyList<TensorConfig> outputs)
    {
        try
        {
            foreach (var output in _request.Inputs.AllowsDeviceOutputs ? [] : outputs)
            {
                DeviceMemory.TryGet(_tensors[output.Name].Tensor.Data, out _, out _)?.CopyToHost();
            }

            return null;
        }
        catch (InferenceException exception)
        {
            return exception.Error with { Message = $"{_request.Prefix}{exception.Error.Message}" };
        }
    }

    /// <summary>Those of the ensemble's outputs that were asked for, which keep the steps' responses alive; or the failure, after which nothing of this run lives.</summary>
    public PendingResult Finish(IReadOnlyList<TensorConfig> outputs, InferenceError? failure)
    {
        outputs = [.. outputs.Where(output => _tensors.ContainsKey(output.Name))];
        failure ??= CopyToHost(outputs);
        if (failure is not null)
        {
            _responses.ForEach(response => response.Dispose());
            return new PendingResult(null, failure, failure.Code == ErrorCode.Cancelled ? FailureReason.Canceled : FailureReason.Other);
        }

        var set = new TensorSet(capacity: outputs.Count + _responses.Count);
        foreach (var output in outputs)
        {
            set.Add(_tensors[output.Name].Tensor);
        }

        set.AddOwners(_responses);
        return new PendingResult(set, null, default);
    }
}

/// <summary>What a step reports of itself, as its share of the ensemble's progress.</summary>
internal sealed class StepProgress(RequestProgress ensemble, int finished, int steps) : RequestProgress
{
    public override void Report(double percent, ReadOnlyMemory<byte> partialJson = default)
        => ensemble.Report(((100d * finished) + Math.Clamp(percent, 0, 100)) / steps, partialJson);
}
