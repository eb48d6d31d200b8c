using System.Globalization;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Backends;

/// <summary>Gives inputs back as outputs, by their position in the configuration; parameter <c>execute_delay_ms</c> delays every execution.</summary>
public sealed class IdentityBackend : IBackend
{
    private const string DelayParameter = "execute_delay_ms";

    // One of each kind, as Triton's identity backend answers, so that a client can see how it gets them.
    private static readonly Dictionary<string, ParameterValue> ExampleParameters = new()
    {
        ["param0"] = "an example string parameter",
        ["param1"] = 42L,
        ["param2"] = false,
        ["param3"] = 123.123,
    };

    public string Name => "identity";

    public bool NeedsFiles => false;

    public ILoadedModel Load(ModelConfig config, string versionDirectory) => new FilelessModel(CreateInstance);

    private static Instance CreateInstance(ModelConfig config)
    {
        if (config.Inputs.Count != config.Outputs.Count)
        {
            throw Invalid($"model '{config.Name}' has {config.Inputs.Count} inputs and {config.Outputs.Count} outputs; the identity backend needs as many of the one as of the other");
        }

        foreach (var (input, output) in config.Inputs.Zip(config.Outputs))
        {
            if (input.Type != output.Type)
            {
                throw Invalid($"output '{output.Name}' of model '{config.Name}' must be {input.Type.ConfigName()} like input '{input.Name}', got {output.Type.ConfigName()}");
            }
        }

        return new Instance(config, Delay(config));
    }

    private static TimeSpan Delay(ModelConfig config)
    {
        if (!config.Parameters.TryGetValue(DelayParameter, out var text))
        {
            return TimeSpan.Zero;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw Invalid($"parameter '{DelayParameter}' of model '{config.Name}' must be a whole number of milliseconds, got '{text}'");
    }

    private static InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, message);

    private sealed class Instance(ModelConfig config, TimeSpan delay) : IModelInstance
    {
        public TensorSet Execute(TensorSet inputs, CancellationToken cancellation)
        {
            cancellation.ThrowIfCancellationRequested();
            if (delay > TimeSpan.Zero && cancellation.WaitHandle.WaitOne(delay))
            {
                throw new OperationCanceledException(cancellation);
            }

            var outputs = new TensorSet(capacity: config.Outputs.Count) { Parameters = ExampleParameters };
            try
            {
                for (var i = 0; i < config.Outputs.Count; i++)
                {
                    AddOutput(outputs, inputs, i);
                }

                return outputs;
            }
            catch
            {
                outputs.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
        }

        private void AddOutput(TensorSet outputs, TensorSet inputs, int position)
        {
            var (input, output) = (config.Inputs[position], config.Outputs[position]);
            if (inputs.Find(input.Name) is { } given)
            {
                outputs.Rent(output.Name, given.Type, given.Shape, given.Data.Length, out var copy);
                given.Data.CopyTo(copy);
                return;
            }

            var shape = input.ModelShape(config.IsBatching);
            if (config.IsBatching)
            {
                shape[0] = inputs.Count > 0 ? inputs[0].Shape[0] : 1;
            }

            // An empty BYTES element is the four bytes of its length.
            var count = Shapes.ElementCount(shape);
            if (count < 0)
            {
                throw Invalid($"input '{input.Name}' of model '{config.Name}' was not given, and its shape {Shapes.Text(shape)} does not say how many zeros to take for it");
            }

            outputs.Rent(output.Name, output.Type, shape, count * (output.Type == DataType.Bytes ? 4 : output.Type.Size()), out var zeros);
            zeros.Span.Clear();
        }
    }
}
