using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>The inputs that clients do not send: controls and states, and how the model's files see them.</summary>
internal sealed class SequenceInputs
{
    private readonly ModelConfig _config;
    private readonly SequenceBatchingConfig _sequencing;
    private readonly Tensor[] _initialStates;

    /// <param name="config">A configuration with sequence batching.</param>
    /// <param name="modelDirectory">Where <c>initial_state/</c> is.</param>
    /// <exception cref="InferenceException">Two controls are in each other's way, or an initial state does not fit: its datatype, its shape, its file.</exception>
    public SequenceInputs(ModelConfig config, string modelDirectory)
    {
        (_config, _sequencing) = (config, config.SequenceBatching!);
        CheckControls();
        _initialStates = [.. _sequencing.States.Select(state => Initial(state, modelDirectory))];
    }

    /// <summary>The configuration as instances need it: with the inputs and outputs that clients do not see.</summary>
    public ModelConfig InstanceConfig => _config with
    {
        Inputs =
        [
            .. _config.Inputs,
            .. _sequencing.Controls.Select(control => new TensorConfig(control.Name, control.Type, [1], null)),
            .. _sequencing.States.Select(state => new TensorConfig(state.InputName, state.Type, state.Dims, null)),
        ],
        Outputs = [.. _config.Outputs, .. _sequencing.States.Where(state => _config.Outputs.All(output => output.Name != state.OutputName)).Select(state => new TensorConfig(state.OutputName, state.Type, state.Dims, null))],
    };

    /// <summary>Why a correlation id cannot be told to the model.</summary>
    public InferenceError? Refusal(CorrelationId id)
    {
        var unfit = _sequencing.Controls.FirstOrDefault(control => control.Kind == SequenceControlKind.CorrelationId && id.ToBytes(control.Type) is null);
        return unfit is null
            ? null
            : InferenceError.InvalidArgument($"sequence '{id}' does not fit control input '{unfit.Name}' of model '{_config.Name}', which is {unfit.Type.Name()}");
    }

    /// <summary>Adds controls and states to a request, which keeps the states' memory: an execution may still read it when the sequence has others.</summary>
    public void Fill(InferenceRequest request, CorrelationId id, TensorSet? state)
    {
        long[] shape = _config.IsBatching ? [1, 1] : [1];
        foreach (var control in _sequencing.Controls)
        {
            var value = control.Kind switch
            {
                SequenceControlKind.Start => request.SequenceStart ? control.True : control.False,
                SequenceControlKind.End => request.SequenceEnd ? control.True : control.False,
                SequenceControlKind.Ready => control.True,
                _ => id.ToBytes(control.Type)!,
            };
            request.Inputs.Rent(control.Name, control.Type, shape, value.Length, out var memory);
            value.CopyTo(memory);
        }

        for (var i = 0; i < _initialStates.Length; i++)
        {
            request.Inputs.Add(state is null ? _initialStates[i] : state[i], i == 0 ? state?.Hold() : null);
        }
    }

    /// <summary>Why outputs do not have the states; null where they have.</summary>
    public InferenceError? Refusal(TensorSet outputs)
    {
        foreach (var state in _sequencing.States)
        {
            if (outputs.Find(state.OutputName)?.Type != state.Type)
            {
                return InferenceError.Internal($"model '{_config.Name}' gave no output '{state.OutputName}' of datatype {state.Type.Name()}, which is the next request's '{state.InputName}'");
            }
        }

        return null;
    }

    /// <summary>A copy of the states among a response's outputs, under their inputs' names.</summary>
    public TensorSet States(TensorSet outputs)
    {
        var states = new TensorSet(capacity: _sequencing.States.Count);
        foreach (var state in _sequencing.States)
        {
            var output = outputs.Find(state.OutputName)!;
            states.Rent(state.InputName, state.Type, output.Shape, output.Data.Length, out var memory);
            output.Data.CopyTo(memory);
        }

        return states;
    }

    private void CheckControls()
    {
        if (_sequencing.Controls.GroupBy(control => control.Name).FirstOrDefault(group => group.Count() > 1) is { } input)
        {
            throw Invalid($"sequence batching of model '{_config.Name}' gives several controls to input '{input.Key}': {string.Join(", ", input.Select(control => control.Kind))}; each needs an input of its own");
        }

        if (_sequencing.Controls.GroupBy(control => control.Kind).FirstOrDefault(group => group.Count() > 1) is { } kind)
        {
            throw Invalid($"sequence batching of model '{_config.Name}' has the control {kind.Key} more than once: {string.Join(", ", kind.Select(control => control.Name))}");
        }
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    private Tensor Initial(SequenceStateConfig state, string modelDirectory)
    {
        var fits = state.InitialDims.Length == state.Dims.Length && state.Dims.Zip(state.InitialDims).All(pair => pair.First < 0 || pair.First == pair.Second);
        if (!fits || state.InitialType != state.Type)
        {
            throw Invalid(
                $"the initial state of '{state.InputName}' is {state.InitialType.Name()} of shape {Shapes.Text(state.InitialDims)}, but its state is {state.Type.Name()} of shape {Shapes.Text(state.Dims)}");
        }

        long[] shape = _config.IsBatching ? [1, .. state.InitialDims] : state.InitialDims;
        var elements = Shapes.ElementCount(shape);
        var size = state.Type == DataType.Bytes ? elements * 4 : Shapes.ByteSize(state.Type, shape);
        var data = GC.AllocateArray<byte>((int)size, pinned: true);
        if (state.InitialFile.Length > 0)
        {
            var path = ModelFile.FindIn(modelDirectory, "initial_state", state.InitialFile);
            var content = path is null ? null : File.ReadAllBytes(path);
            if (content?.Length != size)
            {
                throw Invalid($"the initial state of '{state.InputName}' must be a file of {size} bytes at initial_state/{state.InitialFile}, {(content is null ? "which is not there" : $"which has {content.Length}")}");
            }

            content.CopyTo(data, 0);
        }

        return new Tensor(state.InputName, state.Type, shape, data);
    }
}
