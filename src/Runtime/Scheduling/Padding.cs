using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;

namespace Runtime.Scheduling;

/// <summary>
/// Lets requests of different length share a batch: inputs are padded at the end of a dimension, to a bucket or to the
/// longest of the batch, and outputs are cut back to each request's own length.
/// </summary>
internal sealed class Padding
{
    private readonly string _model;
    private readonly PaddingConfig _config;

    private Padding(string model, PaddingConfig config) => (_model, _config) = (model, config);

    /// <summary>Null for a model without padding.</summary>
    /// <exception cref="InferenceException">The model's parameters about it are wrong.</exception>
    public static Padding? Of(ModelConfig model) => PaddingParameters.Read(model) is { } config ? new Padding(model.Name, config) : null;

    /// <summary>Why a checked request cannot be padded; null when it can.</summary>
    public InferenceError? Refusal(InferenceRequest request)
    {
        foreach (var input in _config.Inputs)
        {
            if (request.Inputs.Find(input.Name) is { } tensor && Problem(request.Inputs, input, tensor) is { } problem)
            {
                return InferenceError.InvalidArgument($"{request.Prefix}input '{input.Name}' of model '{_model}' {problem}");
            }
        }

        return null;
    }

    /// <summary>Whether both can be in one batch: equal past the first dimension, but that a padded one need only have the same bucket.</summary>
    public bool Batches(Tensor mine, Tensor theirs)
    {
        var shape = mine.Shape.AsSpan(1);
        var other = theirs.Shape.AsSpan(1);
        if (_config.Find(mine.Name) is not { } input)
        {
            return shape.SequenceEqual(other);
        }

        var at = input.Axis - 1;
        return shape.Length == other.Length
            && shape[..at].SequenceEqual(other[..at])
            && shape[(at + 1)..].SequenceEqual(other[(at + 1)..])
            && (_config.Buckets.Count == 0 || _config.BucketOf(shape[at]) == _config.BucketOf(other[at]));
    }

    /// <summary>Whether a request alone must be padded too: one of its inputs is shorter than its bucket.</summary>
    public bool Pads(PendingRequest request)
    {
        foreach (var input in _config.Inputs)
        {
            if (request.Inputs.Find(input.Name) is { } tensor && _config.BucketOf(tensor.Shape[input.Axis]) != tensor.Shape[input.Axis])
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds the requests' inputs at that position, padded, one behind the other along the first dimension; false if it is none to pad.</summary>
    public bool TryGather(List<PendingRequest> batch, int position, TensorSet gathered)
    {
        var model = batch[0].Inputs[position];
        if (_config.Find(model.Name) is not { } input)
        {
            return false;
        }

        var length = LengthOf(batch, input);
        long rows = 0;
        long bytes = 0;
        foreach (var request in batch)
        {
            rows += request.Inputs[position].Shape[0];
            bytes += PaddedTensor.ByteCount(request.Inputs[position], input, length);
        }

        long[] shape = [rows, .. model.Shape.AsSpan(1)];
        shape[input.Axis] = length;
        gathered.Rent(model.Name, model.Type, shape, bytes, out var memory);
        var target = memory.Span;
        foreach (var request in batch)
        {
            target = target[PaddedTensor.Write(request.Inputs[position], input, length, target)..];
        }

        return true;
    }

    /// <summary>Each request's own outputs, cut back. Takes over <paramref name="outputs"/> unless it throws.</summary>
    /// <exception cref="InferenceException">An output has not the length to cut.</exception>
    public TensorSet[] Split(List<PendingRequest> batch, TensorSet outputs)
    {
        foreach (var output in _config.Outputs)
        {
            CheckLength(batch, output, outputs);
        }

        if (batch.Count == 1)
        {
            return [Cut(batch[0], outputs)];
        }

        var parts = new TensorSet[batch.Count];
        var made = 0;
        try
        {
            for (var first = 0; made < batch.Count; first += batch[made++].Rows)
            {
                parts[made] = CutRows(batch[made], outputs, first);
            }
        }
        catch
        {
            Array.ForEach(parts[..made], part => part.Dispose());
            throw;
        }

        outputs.Dispose();
        return parts;
    }

    private string? Problem(TensorSet inputs, PaddedInput input, Tensor tensor)
    {
        var length = tensor.Shape[input.Axis];
        if (_config.Buckets.Count > 0 && length > _config.Buckets[^1])
        {
            return $"has length {length} in its padded dimension, which is more than the largest bucket, {_config.Buckets[^1]}; its shape is {Shapes.Text(tensor.Shape)}";
        }

        if (input.Like is not null && OwnLength(inputs, input.Like) is var expected && expected != length)
        {
            return $"must have the length of input '{input.Like}', {expected}, in its padded dimension, got {length}";
        }

        var padded = tensor.Shape.ToArray();
        padded[input.Axis] = _config.BucketOf(length);
        var elements = Shapes.ElementCount(padded);
        return elements < 0 || elements > Array.MaxLength / input.Element.Length
            ? $"would become larger than a tensor may be, {Shapes.Text(padded)}, when it is padded to its bucket"
            : null;
    }

    private void CheckLength(List<PendingRequest> batch, PaddedOutput output, TensorSet outputs)
    {
        var length = LengthOf(batch, _config.Find(output.Like)!);
        if (outputs.Find(output.Name) is { } tensor && (tensor.Shape.Length <= output.Axis || tensor.Shape[output.Axis] != length))
        {
            throw new InferenceException(
                ErrorCode.Internal,
                $"model '{_model}' gave output '{output.Name}' of shape {Shapes.Text(tensor.Shape)}, which cannot be cut back: by parameter 'pad.{output.Name}.dim' dimension {output.Axis} "
                + $"must be as long as input '{output.Like}' was padded, {length}");
        }
    }

    private TensorSet CutRows(PendingRequest request, TensorSet outputs, int first)
    {
        var rows = outputs.Rows(first, request.Rows);
        try
        {
            return Cut(request, rows);
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    /// <summary>The outputs themselves where nothing is to cut, or copies of the cut ones beside the others. Takes over <paramref name="outputs"/> unless it throws.</summary>
    private TensorSet Cut(PendingRequest request, TensorSet outputs)
    {
        if (!_config.Outputs.Any(output => outputs.Find(output.Name) is { } tensor && tensor.Shape[output.Axis] != OwnLength(request.Inputs, output.Like)))
        {
            return outputs;
        }

        var cut = new TensorSet(capacity: outputs.Count) { Parameters = outputs.Parameters };
        var showsOthers = false;
        try
        {
            foreach (var tensor in outputs.Tensors)
            {
                if (_config.Outputs.FirstOrDefault(output => output.Name == tensor.Name) is { } output)
                {
                    PaddedTensor.AddCut(cut, tensor, output.Axis, OwnLength(request.Inputs, output.Like));
                }
                else
                {
                    cut.Add(tensor);
                    showsOthers = true;
                }
            }
        }
        catch
        {
            cut.Dispose();
            throw;
        }

        if (showsOthers)
        {
            cut.Own(outputs);
        }
        else
        {
            outputs.Dispose();
        }

        return cut;
    }

    private long OwnLength(TensorSet inputs, string name) => inputs.Find(name)!.Shape[_config.Find(name)!.Axis];

    /// <summary>How long the input becomes in this batch.</summary>
    private long LengthOf(List<PendingRequest> batch, PaddedInput input)
    {
        long length = 0;
        foreach (var request in batch)
        {
            length = Math.Max(length, request.Inputs.Find(input.Name)!.Shape[input.Axis]);
        }

        return _config.BucketOf(length);
    }
}
