using Google.Protobuf.Collections;
using Runtime.Tensors;

namespace Runtime.Models.Configuration;

/// <summary>The rules for <c>input</c> and <c>output</c>.</summary>
internal static class TensorRules
{
    public static void Check(Protocol.ModelConfig config, bool isOpen)
    {
        CheckNames(config, "input", [.. config.Input.Select(input => input.Name)], isOpen);
        CheckNames(config, "output", [.. config.Output.Select(output => output.Name)], isOpen);
        foreach (var input in config.Input)
        {
            CheckTensor(config, $"input '{input.Name}'", input.DataType, input.Dims, input.Reshape);
            if (input.Format != Protocol.ModelInput.Types.Format.None && input.Dims.Count != 3)
            {
                throw Fault(config, $"input '{input.Name}'", $"formats NHWC and NCHW require 3 dims, got {Show(input.Dims)}");
            }
        }

        foreach (var output in config.Output)
        {
            CheckTensor(config, $"output '{output.Name}'", output.DataType, output.Dims, output.Reshape);
            ConfigRules.CheckFile(output.LabelFilename, "label_filename", config);
        }
    }

    private static void CheckNames(Protocol.ModelConfig config, string field, string[] names, bool isOpen)
    {
        var seen = new HashSet<string>();
        foreach (var name in names)
        {
            if (name.Length == 0)
            {
                throw new ModelConfigException($"model {field} must specify 'name' for {config.Name}");
            }

            if (!seen.Add(name))
            {
                throw new ModelConfigException($"model '{config.Name}' has two entries of '{field}' with the name '{name}'");
            }
        }

        if (names.Length == 0 && !isOpen)
        {
            throw new ModelConfigException($"model '{config.Name}' has no '{field}': its configuration must list at least one");
        }
    }

    private static void CheckTensor(
        Protocol.ModelConfig config, string tensor, Protocol.DataType type, RepeatedField<long> dims, Protocol.ModelTensorReshape? reshape)
    {
        if (type == Protocol.DataType.TypeInvalid)
        {
            throw Fault(config, tensor, "must specify 'data_type'");
        }

        if (dims.Count == 0 && reshape is null)
        {
            throw Fault(config, tensor, "must specify 'dims'");
        }

        CheckDims(config, tensor, "dims", dims);
        if (reshape is not null)
        {
            CheckDims(config, tensor, "reshape.shape", reshape.Shape);
            CheckReshape(config, tensor, dims, reshape.Shape);
        }
    }

    private static void CheckDims(Protocol.ModelConfig config, string tensor, string field, RepeatedField<long> dims)
    {
        if (dims.Any(dimension => dimension is 0 or < -1))
        {
            throw Fault(config, tensor, $"a dimension in '{field}' must be integer >= 1, or -1 to indicate a variable-size dimension, got {Show(dims)}");
        }

        if (FixedElements(dims) < 0)
        {
            throw Fault(config, tensor, $"'{field}' {Show(dims)} has more elements than can be counted");
        }
    }

    private static void CheckReshape(Protocol.ModelConfig config, string tensor, RepeatedField<long> dims, RepeatedField<long> shape)
    {
        if (shape.Count == 0 && config.MaxBatchSize == 0)
        {
            throw Fault(config, tensor, "cannot have empty reshape for non-batching model as scalar tensors are not supported");
        }

        if (FixedElements(dims) != FixedElements(shape) || Variable(dims) != Variable(shape))
        {
            throw Fault(config, tensor, $"has different size for dims and reshape: {Show(dims)} and {Show(shape)}");
        }

        if (Variable(dims) > 1)
        {
            throw Fault(config, tensor, $"reshape with more than one variable-size dimension is not supported: {Show(dims)} to {Show(shape)}");
        }
    }

    private static int Variable(RepeatedField<long> dims) => dims.Count(dimension => dimension < 0);

    private static long FixedElements(RepeatedField<long> dims) => Shapes.ElementCount([.. dims.Where(dimension => dimension >= 0)]);

    private static string Show(RepeatedField<long> dims) => Shapes.Text([.. dims]);

    private static ModelConfigException Fault(Protocol.ModelConfig config, string tensor, string fault) => new($"model '{config.Name}', {tensor}: {fault}");
}
