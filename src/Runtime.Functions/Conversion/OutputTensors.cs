using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Functions.Conversion;

/// <summary>Turns the outputs of a function into the tensors of a response: one row or several, checked against what the configuration declares.</summary>
internal sealed class OutputTensors(ModelConfig config)
{
    /// <summary>The tensors of one answer; where the model batches, as a batch of one row.</summary>
    /// <exception cref="InferenceException">An output is no tensor, or not what the configuration declares.</exception>
    public TensorSet Write(Outputs? outputs) => Write([outputs], 0, 1);

    /// <summary>The tensors of so many answers, which are the rows of one response.</summary>
    /// <inheritdoc cref="Write(Outputs)"/>
    public TensorSet Write(IReadOnlyList<Outputs?> rows, int first, int count)
    {
        var outputs = rows[first] ?? throw Fault("returned null instead of outputs");
        var set = new TensorSet(capacity: outputs.Count);
        try
        {
            foreach (var (name, value) in outputs)
            {
                var tensor = Convert(name, value);
                Check(name, tensor);
                if (count == 1)
                {
                    Add(set, name, tensor, config.IsBatching);
                }
                else
                {
                    Stack(set, name, tensor, [.. Enumerable.Range(first, count).Select(row => RowOf(rows[row], name, outputs.Count))]);
                }
            }

            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Adds a value to a set, in the memory where it is if that is counted, else as a copy.</summary>
    public static void Add(TensorSet set, string name, TensorValue value, bool addBatch)
    {
        long[] shape = addBatch ? [1, .. value.Shape] : [.. value.Shape];
        if (value.Source is { } source && value.Data.Length > 0)
        {
            set.Add(new Tensor(name, value.Type, shape, value.Data), source.Share());
            return;
        }

        set.Rent(name, value.Type, shape, value.Data.Length, out var memory);
        value.Data.CopyTo(memory);
    }

    private void Stack(TensorSet set, string name, TensorValue model, object?[] values)
    {
        var tensors = Array.ConvertAll(values, value => Convert(name, value));
        var stranger = Array.Find(tensors, tensor => tensor.Type != model.Type || !tensor.Shape.SequenceEqual(model.Shape));
        if (stranger is not null)
        {
            throw Fault($"gave output '{name}' as {Text(model)} and as {Text(stranger)} for rows of one request; they must be alike");
        }

        set.Rent(name, model.Type, [values.Length, .. model.Shape], tensors.Sum(tensor => (long)tensor.Data.Length), out var memory);
        foreach (var tensor in tensors)
        {
            tensor.Data.CopyTo(memory);
            memory = memory[tensor.Data.Length..];
        }
    }

    private object? RowOf(Outputs? outputs, string name, int count)
    {
        if (outputs is null)
        {
            throw Fault("returned null instead of outputs");
        }

        return outputs.Count == count && outputs.ContainsKey(name)
            ? outputs[name]
            : throw Fault($"gave output '{name}' for some rows of a request and not for others");
    }

    private TensorValue Convert(string name, object? value)
    {
        try
        {
            return OutputValue.Convert(value);
        }
        catch (ArgumentException exception)
        {
            throw Fault($"gave an output '{name}' that {exception.Message}");
        }
    }

    private void Check(string name, TensorValue tensor)
    {
        for (var i = 0; i < config.Outputs.Count; i++)
        {
            var declared = config.Outputs[i];
            if (declared.Name == name && (declared.Type != tensor.Type || !Fits(declared.Reshape ?? declared.Dims, tensor.Shape)))
            {
                throw Fault($"gave output '{name}' as {Text(tensor)}; its configuration says {declared.Type.Name()} {Shapes.Text(declared.Dims)}");
            }
        }
    }

    private static bool Fits(long[] dims, IReadOnlyList<long> shape)
    {
        var fits = dims.Length == shape.Count;
        for (var i = 0; fits && i < dims.Length; i++)
        {
            fits = dims[i] < 0 || dims[i] == shape[i];
        }

        return fits;
    }

    private static string Text(TensorValue tensor) => $"{tensor.Type.Name()} {Shapes.Text([.. tensor.Shape])}";

    private InferenceException Fault(string fault) => new(ErrorCode.Internal, $"function '{config.Name}' {fault}");
}
