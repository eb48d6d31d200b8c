using Google.Protobuf.Collections;

namespace Runtime.Models.Configuration;

/// <summary>Completes a configuration from what the model's file declares.</summary>
public static class ConfigCompletion
{
    private const int CompletedMaxBatchSize = 4;

    /// <summary>
    /// Fills what the configuration leaves away, in place, if <paramref name="autoComplete"/>; then checks it against the
    /// signature. Without a signature any inputs and outputs will do.
    /// </summary>
    /// <exception cref="ModelConfigException">The configuration and the model's file contradict each other.</exception>
    public static void Complete(Protocol.ModelConfig config, ModelSignature? signature, bool autoComplete)
    {
        if (signature is not null)
        {
            signature = SequenceTensors.Exclude(config, signature);
            if (autoComplete)
            {
                FillBatching(config, signature);
                FillInputs(config, signature.Inputs);
                FillOutputs(config, signature.Outputs);
            }

            SignatureCheck.Check(config, signature);
        }

        ConfigDefaults.FillPreferredBatchSize(config);
    }

    private static void FillBatching(Protocol.ModelConfig config, ModelSignature signature)
    {
        var supportsBatching = signature.Inputs.Count > 0 && signature.Inputs.Concat(signature.Outputs).All(tensor => tensor.Shape is [-1, ..]);
        if (!supportsBatching || (config.Input.Count > 0 && config.Output.Count > 0))
        {
            return;
        }

        if (config.MaxBatchSize == 0 && !SpellsFullShape(config, signature))
        {
            config.MaxBatchSize = CompletedMaxBatchSize;
        }

        if (config.MaxBatchSize > 1 && config.SchedulingChoiceCase == Protocol.ModelConfig.SchedulingChoiceOneofCase.None)
        {
            config.DynamicBatching = new();
        }
    }

    /// <summary>Whether a configured tensor has as many dims as the file declares: its author counts no batch dimension.</summary>
    private static bool SpellsFullShape(Protocol.ModelConfig config, ModelSignature signature)
    {
        var configured = config.Input.Select(input => (input.Name, Dims: input.Reshape?.Shape ?? input.Dims))
            .Concat(config.Output.Select(output => (output.Name, Dims: output.Reshape?.Shape ?? output.Dims)));
        var declared = signature.Inputs.Concat(signature.Outputs).ToLookup(tensor => tensor.Name);
        return configured.Any(tensor => tensor.Dims.Count > 0 && declared[tensor.Name].Any(spec => spec.Shape.Length == tensor.Dims.Count));
    }

    private static void FillInputs(Protocol.ModelConfig config, IReadOnlyList<TensorSpec> specs)
    {
        foreach (var spec in specs)
        {
            var input = config.Input.FirstOrDefault(known => known.Name == spec.Name);
            if (input is null)
            {
                input = new() { Name = spec.Name };
                config.Input.Add(input);
            }

            input.DataType = Known(input.DataType, spec);
            if (input.Dims.Count == 0 && input.Reshape is null)
            {
                input.Reshape = FillDims(input.Dims, spec, config.MaxBatchSize > 0);
            }
        }
    }

    private static void FillOutputs(Protocol.ModelConfig config, IReadOnlyList<TensorSpec> specs)
    {
        if (config.Output.Count == 0)
        {
            config.Output.AddRange(specs.Select(spec => new Protocol.ModelOutput { Name = spec.Name }));
        }

        foreach (var output in config.Output)
        {
            var spec = specs.FirstOrDefault(known => known.Name == output.Name);
            if (spec is null)
            {
                continue;
            }

            output.DataType = Known(output.DataType, spec);
            if (output.Dims.Count == 0 && output.Reshape is null)
            {
                output.Reshape = FillDims(output.Dims, spec, config.MaxBatchSize > 0);
            }
        }
    }

    private static Protocol.DataType Known(Protocol.DataType type, TensorSpec spec) =>
        type == Protocol.DataType.TypeInvalid ? ConfigDataTypes.To(spec.Type) : type;

    /// <summary>Fills the dims; the reshape that a tensor of nothing but a batch dimension needs, as dims cannot be empty.</summary>
    private static Protocol.ModelTensorReshape? FillDims(RepeatedField<long> dims, TensorSpec spec, bool isBatching)
    {
        dims.AddRange(spec.Shape.Skip(isBatching ? 1 : 0));
        if (dims.Count > 0)
        {
            return null;
        }

        dims.Add(1);
        return isBatching ? new() : null;
    }
}
