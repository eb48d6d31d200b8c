using Microsoft.ML.OnnxRuntime;
using Runtime.Backends;
using Runtime.Devices;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Onnx;

/// <summary>A session and what it declares. Its instances share the session, so weights are in memory once.</summary>
internal sealed class OnnxModel : ILoadedModel
{
    /// <summary>Takes over the session, unless it throws.</summary>
    /// <exception cref="InferenceException">An input or output is of a kind that cannot be served.</exception>
    public OnnxModel(InferenceSession session)
    {
        Session = session;
        Inputs = [.. session.InputNames.Select(name => OnnxTensor.From("input", name, session.InputMetadata[name]))];
        Outputs = [.. session.OutputNames.Select(name => OnnxTensor.From("output", name, session.OutputMetadata[name]))];
        Defaults = [.. session.OverridableInitializerMetadata.Select(entry => OnnxTensor.From("initializer", entry.Key, entry.Value))];
        Signature = new ModelSignature([.. Inputs.Select(input => input.Spec)], [.. Outputs.Select(output => output.Spec)])
        {
            OptionalInputs = [.. Defaults.Select(input => input.Spec)],
        };
    }

    public InferenceSession Session { get; }

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
        return new OnnxInstance(this, config, [.. outputs]);
    }

    public void Dispose()
    {
        Session.Dispose();
        NativeHeap.Trim();
    }
}
