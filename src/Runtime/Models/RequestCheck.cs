using System.Buffers.Binary;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>
/// Checks a request against its model's configuration, and puts its inputs into the order of the configuration and the shape that
/// the model's files want.
/// Messages say what Triton's say: what was expected, what came, for which model and input.
/// </summary>
internal static class RequestCheck
{
    private const string BatchNote =
        "NOTE: a max_batch_size above zero means that every shape begins with a batch dimension; set max_batch_size to zero to give full shapes in the configuration.";

    /// <summary>Null when the request fits, <paramref name="rows"/> being what it takes of a batch; its inputs are then in model shape.</summary>
    public static InferenceError? Check(InferenceRequest request, ModelConfig config, out int rows)
    {
        rows = 1;
        var error = CheckNames(request, config) ?? CheckOutputs(request, config);
        if (error is not null)
        {
            return error;
        }

        long batch = -1;
        for (var i = 0; i < request.Inputs.Count; i++)
        {
            var tensor = request.Inputs[i];
            var expected = Find(config.Inputs, tensor.Name)!;
            error = CheckTensor(request, config, tensor, expected, ref batch);
            if (error is not null)
            {
                return error;
            }

            if (expected.Reshape is not null)
            {
                request.Inputs.Replace(i, tensor with { Shape = Reshape(tensor.Shape, expected.Reshape, config.IsBatching) });
            }
        }

        if (config.IsBatching && batch > config.MaxBatchSize)
        {
            return Invalid(request, $"inference request batch-size must be <= {config.MaxBatchSize} for '{config.Name}', got {batch}");
        }

        rows = config.IsBatching ? (int)Math.Max(batch, 1) : 1;
        Arrange(request.Inputs, config.Inputs);
        return null;
    }

    /// <summary>The shape behind a batch dimension replaced by the given one, whose only -1 takes what remains.</summary>
    public static long[] Reshape(long[] shape, long[] target, bool isBatching)
    {
        var elements = Shapes.ElementCount(isBatching ? shape.AsSpan(1) : shape);
        long known = 1;
        foreach (var dimension in target)
        {
            known *= dimension < 0 ? 1 : dimension;
        }

        var filled = Array.ConvertAll(target, dimension => dimension < 0 ? (known == 0 ? 0 : elements / known) : dimension);
        return isBatching ? [shape[0], .. filled] : filled;
    }

    public static TensorConfig? Find(IReadOnlyList<TensorConfig> tensors, string name)
    {
        for (var i = 0; i < tensors.Count; i++)
        {
            if (tensors[i].Name == name)
            {
                return tensors[i];
            }
        }

        return null;
    }

    /// <summary>Clients send inputs in any order, and requests share a batch whose inputs correspond by position.</summary>
    private static void Arrange(TensorSet inputs, IReadOnlyList<TensorConfig> configured)
    {
        var position = 0;
        for (var i = 0; i < configured.Count && position < inputs.Count; i++)
        {
            var found = inputs[position].Name == configured[i].Name ? position : inputs.IndexOf(configured[i].Name);
            if (found >= 0)
            {
                inputs.Swap(position++, found);
            }
        }
    }

    private static InferenceError? CheckNames(InferenceRequest request, ModelConfig config)
    {
        var inputs = request.Inputs;
        var isKnown = true;
        for (var i = 0; i < inputs.Count; i++)
        {
            if (inputs.IndexOf(inputs[i].Name) != i)
            {
                return Invalid(request, $"input '{inputs[i].Name}' already exists in request");
            }

            isKnown &= Find(config.Inputs, inputs[i].Name) is not null;
        }

        // As many different known names as there are inputs: nothing is missing.
        return isKnown && inputs.Count == config.Inputs.Count ? null : DescribeNames(request, config);
    }

    private static InferenceError? DescribeNames(InferenceRequest request, ModelConfig config)
    {
        var names = request.Inputs.Tensors.ToArray().Select(tensor => tensor.Name).ToArray();
        var known = config.Inputs.Select(input => input.Name).ToArray();
        var required = config.Inputs.Count(input => !input.Optional);
        var stranger = names.FirstOrDefault(name => !known.Contains(name));
        if (stranger is not null && names.Length >= required && names.Length <= known.Length)
        {
            return InferenceError.InvalidArgument($"unexpected inference input '{stranger}' for model '{config.Name}', which has the inputs {Quoted(known)}");
        }

        var missing = config.Inputs.Where(input => !input.Optional && !names.Contains(input.Name)).Select(input => input.Name).ToArray();
        if (stranger is null && missing.Length == 0)
        {
            return null;
        }

        var expected = required == known.Length ? $"{required}" : $"between {required} and {known.Length}";
        var advice = missing.Length > 0
            ? $"but missing required input(s) {Quoted(missing)}. Please provide all required input(s)."
            : $"but the model has only {Quoted(known)}.";
        return Invalid(request, $"expected {expected} inputs but got {names.Length} inputs for model '{config.Name}'. Got input(s) {Quoted(names)}, {advice}");
    }

    private static InferenceError? CheckOutputs(InferenceRequest request, ModelConfig config)
    {
        foreach (var output in request.Outputs)
        {
            if (!config.HasOpenOutputs && Find(config.Outputs, output.Name) is null)
            {
                return InferenceError.InvalidArgument(
                    $"unexpected inference output '{output.Name}' for model '{config.Name}', which has the outputs {Quoted(config.Outputs.Select(known => known.Name))}");
            }
        }

        return null;
    }

    private static InferenceError? CheckTensor(InferenceRequest request, ModelConfig config, Tensor tensor, TensorConfig expected, ref long batch)
    {
        if (tensor.Type != expected.Type)
        {
            return Invalid(request, $"inference input '{tensor.Name}' data-type is '{tensor.Type.Name()}', but model '{config.Name}' expects '{expected.Type.Name()}'");
        }

        if (config.IsBatching)
        {
            if (tensor.Shape.Length == 0)
            {
                return Invalid(request, $"input '{tensor.Name}' has no shape but model requires batch dimension for '{config.Name}'");
            }

            if (batch >= 0 && tensor.Shape[0] != batch)
            {
                return Invalid(request, $"input '{tensor.Name}' batch size {tensor.Shape[0]} does not match other inputs' {batch} for '{config.Name}'");
            }

            batch = tensor.Shape[0];
        }

        return Fits(tensor.Shape, expected.Dims, config.IsBatching)
            ? CheckSize(request, config, tensor)
            : Invalid(request, $"unexpected shape for input '{tensor.Name}' for model '{config.Name}'. Expected {Shapes.Text(expected.ClientShape(config.IsBatching))}, "
                + $"got {Shapes.Text(tensor.Shape)}. {(config.IsBatching ? BatchNote : "")}");
    }

    private static bool Fits(long[] shape, long[] dims, bool isBatching)
    {
        var offset = isBatching ? 1 : 0;
        if (shape.Length != dims.Length + offset || (isBatching && shape[0] < 1))
        {
            return false;
        }

        for (var i = 0; i < dims.Length; i++)
        {
            if (shape[i + offset] < 0 || (dims[i] >= 0 && dims[i] != shape[i + offset]))
            {
                return false;
            }
        }

        return true;
    }

    private static InferenceError? CheckSize(InferenceRequest request, ModelConfig config, Tensor tensor)
    {
        if (tensor.Type == DataType.Bytes)
        {
            return CheckElements(request, config, tensor);
        }

        var expected = Shapes.ByteSize(tensor.Type, tensor.Shape);
        return tensor.Data.Length == expected
            ? null
            : Invalid(request, $"input byte size mismatch for input '{tensor.Name}' for model '{config.Name}'. Expected {expected}, got {tensor.Data.Length}");
    }

    private static InferenceError? CheckElements(InferenceRequest request, ModelConfig config, Tensor tensor)
    {
        var expected = tensor.ElementCount;
        var data = tensor.Data.Span;
        long found = 0;
        while (data.Length > 0)
        {
            if (data.Length < 4)
            {
                return Invalid(request, $"incomplete string length indicator for inference input '{tensor.Name}' for model '{config.Name}', expecting 4 bytes but only {data.Length} bytes available.");
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (length > data.Length - 4)
            {
                return Invalid(request, $"incomplete string data for inference input '{tensor.Name}' for model '{config.Name}', expecting string of length {length} but only {data.Length - 4} bytes available.");
            }

            data = data[(4 + (int)length)..];
            found++;
        }

        return found == expected
            ? null
            : Invalid(request, $"expected {expected} string elements for inference input '{tensor.Name}' for model '{config.Name}', got {found}");
    }

    private static InferenceError Invalid(InferenceRequest request, string message) => InferenceError.InvalidArgument(request.Prefix + message);

    private static string Quoted(IEnumerable<string> names) => $"[{string.Join(',', names.Select(name => $"'{name}'"))}]";
}
