using Runtime.Tensors;

namespace Runtime.Models.Configuration;

/// <summary>Checks that the configured inputs and outputs are those of the model's file.</summary>
internal static class SignatureCheck
{
    public static void Check(Protocol.ModelConfig config, ModelSignature signature)
    {
        var inputs = config.Input.Select(input => new Configured("input", input.Name, input.DataType, [.. input.Reshape?.Shape ?? input.Dims])).ToArray();
        var outputs = config.Output.Select(output => new Configured("output", output.Name, output.DataType, [.. output.Reshape?.Shape ?? output.Dims])).ToArray();
        CheckNames(inputs, signature.Inputs);
        CheckNames(outputs, signature.Outputs);
        CheckMissing(config, signature);
        CheckTensors(config, inputs, signature.Inputs);
        CheckTensors(config, outputs, signature.Outputs);
    }

    private static void CheckNames(Configured[] tensors, IReadOnlyList<TensorSpec> specs)
    {
        var unknown = Array.Find(tensors, tensor => specs.All(spec => spec.Name != tensor.Name));
        if (unknown is not null)
        {
            var allowed = string.Join(", ", specs.Select(spec => spec.Name).Order(StringComparer.Ordinal));
            throw new ModelConfigException($"unexpected inference {unknown.Kind} '{unknown.Name}', allowed {unknown.Kind}s are: {allowed}");
        }
    }

    private static void CheckMissing(Protocol.ModelConfig config, ModelSignature signature)
    {
        var missing = signature.Inputs.Where(spec => config.Input.All(input => input.Name != spec.Name)).Select(spec => spec.Name).ToArray();
        if (missing.Length > 0)
        {
            throw new ModelConfigException(
                $"unable to load model '{config.Name}', configuration expects {config.Input.Count} inputs, model provides {signature.Inputs.Count}; "
                + $"missing in the configuration: {string.Join(", ", missing)}");
        }
    }

    private static void CheckTensors(Protocol.ModelConfig config, Configured[] tensors, IReadOnlyList<TensorSpec> specs)
    {
        foreach (var tensor in tensors)
        {
            var spec = specs.First(known => known.Name == tensor.Name);
            if (tensor.Type != ConfigDataTypes.To(spec.Type))
            {
                throw new ModelConfigException(
                    $"unable to load model '{config.Name}', configuration expects datatype {tensor.TypeName} for {tensor.Kind} '{tensor.Name}', "
                    + $"model provides {spec.Type.ConfigName()}");
            }

            CheckShape(config, tensor.Name, tensor.Dims, spec.Shape);
        }
    }

    /// <summary>Checks configured dims, which leave the batch dimension away, against the file's shape.</summary>
    /// <exception cref="ModelConfigException">They do not fit.</exception>
    internal static void CheckShape(Protocol.ModelConfig config, string name, long[] dims, long[] shape)
    {
        var prefix = $"model '{config.Name}', tensor '{name}': ";
        if (config.MaxBatchSize <= 0)
        {
            // A scalar has no dims to configure, so it is configured as one element.
            var isScalar = shape.Length == 0 && dims.All(dimension => dimension == 1);
            if (!isScalar && !Fits(dims, shape))
            {
                throw new ModelConfigException(
                    $"{prefix}the model expects {shape.Length} dimensions (shape {Shapes.Text(shape)}) but the model configuration specifies "
                    + $"{dims.Length} dimensions (shape {Shapes.Text(dims)})");
            }

            return;
        }

        if (shape is not [-1, ..])
        {
            throw new ModelConfigException(
                $"{prefix}for the model to support batching the shape should have at least 1 dimension and the first dimension must be -1; "
                + $"but shape expected by the model is {Shapes.Text(shape)}");
        }

        long[] complete = [-1, .. dims];
        if (!Fits(complete, shape))
        {
            throw new ModelConfigException(
                $"{prefix}the model expects {shape.Length} dimensions (shape {Shapes.Text(shape)}) but the model configuration specifies "
                + $"{complete.Length} dimensions (an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, "
                + $"making complete shape {Shapes.Text(complete)})");
        }
    }

    /// <summary>What the file leaves open the configuration may fix, but not the other way round.</summary>
    private static bool Fits(long[] configured, long[] declared)
    {
        var fits = configured.Length == declared.Length;
        for (var i = 0; fits && i < declared.Length; i++)
        {
            fits = declared[i] < 0 || configured[i] == declared[i];
        }

        return fits;
    }

    private sealed record Configured(string Kind, string Name, Protocol.DataType Type, long[] Dims)
    {
        public string TypeName => Type == Protocol.DataType.TypeInvalid ? "TYPE_INVALID" : ConfigDataTypes.From(Type).ConfigName();
    }
}
