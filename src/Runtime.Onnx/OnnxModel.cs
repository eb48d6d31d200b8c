using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>A model's sessions and what they declare.</summary>
internal sealed class OnnxModel : ILoadedModel
{
    private readonly OnnxSessions _sessions;

    /// <summary>Takes over the sessions, unless it throws.</summary>
    /// <exception cref="InferenceException">An input or output is of a kind that cannot be served.</exception>
    public OnnxModel(OnnxSessions sessions)
    {
        _sessions = sessions;
        var session = sessions.First;
        Inputs = [.. session.InputNames.Select(name => OnnxTensor.From("input", name, session.InputMetadata[name]))];
        Outputs = [.. session.OutputNames.Select(name => OnnxTensor.From("output", name, session.OutputMetadata[name]))];
        Defaults = [.. session.OverridableInitializerMetadata.Select(entry => OnnxTensor.From("initializer", entry.Key, entry.Value))];
        Signature = new ModelSignature([.. Inputs.Select(input => input.Spec)], [.. Outputs.Select(output => output.Spec)])
        {
            OptionalInputs = [.. Defaults.Select(input => input.Spec)],
        };
    }

    public bool UsesGraphs => _sessions.UsesGraphs;

    /// <summary>Inputs that every execution must be given.</summary>
    public OnnxTensor[] Inputs { get; }

    public OnnxTensor[] Outputs { get; }

    /// <summary>Inputs for which the file has a value.</summary>
    public OnnxTensor[] Defaults { get; }

    public ModelSignature Signature { get; }

    public IDisposable CreateInstance(ModelConfig config, Device device)
    {
        var outputs = config.Outputs.Select(configured => Array.Find(Outputs, output => output.Name == configured.Name)
            ?? throw new InferenceException(
                ErrorCode.InvalidArgument,
                $"unexpected inference output '{configured.Name}' of model '{config.Name}': its file has the outputs [{string.Join(", ", Outputs.Select(output => $"'{output.Name}'"))}]"));
        if (UsesGraphs && device.IsGpu)
        {
            CudaGraphs.CheckShapes(this, config);
        }

        return new OnnxInstance(this, _sessions.Take(device), _sessions.DeviceOf(device), config, [.. outputs]);
    }

    public IEnumerable<(Device Device, long Bytes)> MemoryUse() => _sessions.MemoryUse();

    public void Dispose() => _sessions.Dispose();
}
