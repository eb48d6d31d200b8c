namespace Runtime.Models.Configuration;

/// <summary>The tensors of a model's file that the sequence scheduler fills and keeps, and clients never see.</summary>
internal static class SequenceTensors
{
    /// <summary>The signature without them.</summary>
    /// <remarks>A state that is also among the configuration's outputs stays one: clients see it.</remarks>
    /// <exception cref="ModelConfigException">The file lacks one of them, or has it with another datatype or shape.</exception>
    public static ModelSignature Exclude(Protocol.ModelConfig config, ModelSignature signature)
    {
        if (config.SequenceBatching is null)
        {
            return signature;
        }

        var sequencing = SequenceBatchingConfig.From(config.SequenceBatching)!;
        var inputs = sequencing.Controls.Select(control => ("control input", control.Name, control.Type))
            .Concat(sequencing.States.Select(state => ("state input", state.InputName, state.Type))).ToArray();
        var outputs = sequencing.States.Select(state => ("state output", state.OutputName, state.Type)).ToArray();
        Check(config, inputs, signature.Inputs);
        Check(config, outputs, signature.Outputs);
        foreach (var state in sequencing.States)
        {
            SignatureCheck.CheckShape(config, state.InputName, state.Dims, signature.Inputs.First(spec => spec.Name == state.InputName).Shape);
            SignatureCheck.CheckShape(config, state.OutputName, state.Dims, signature.Outputs.First(spec => spec.Name == state.OutputName).Shape);
        }

        return new ModelSignature(
            [.. signature.Inputs.Where(spec => inputs.All(input => input.Item2 != spec.Name))],
            [.. signature.Outputs.Where(spec => outputs.All(output => output.Item2 != spec.Name) || config.Output.Any(output => output.Name == spec.Name))]);
    }

    private static void Check(Protocol.ModelConfig config, (string Kind, string Name, Tensors.DataType Type)[] wanted, IReadOnlyList<TensorSpec> specs)
    {
        foreach (var (kind, name, type) in wanted)
        {
            var spec = specs.FirstOrDefault(known => known.Name == name)
                ?? throw new ModelConfigException($"model '{config.Name}': sequence batching names {kind} '{name}', which the model's file lacks; it has {string.Join(", ", specs.Select(known => known.Name))}");
            if (spec.Type != type)
            {
                throw new ModelConfigException($"model '{config.Name}': sequence batching gives {kind} '{name}' datatype {Tensors.DataTypes.ConfigName(type)}, the model's file {Tensors.DataTypes.ConfigName(spec.Type)}");
            }
        }
    }
}
