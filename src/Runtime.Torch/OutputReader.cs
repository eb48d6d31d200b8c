using System.Buffers.Binary;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>Makes a set of tensors of what a run returned: large tensors stay where libtorch put them, small ones are copied.</summary>
internal sealed unsafe class OutputReader(ModelConfig config, MethodSignature method)
{
    /// <summary>Bytes beyond which keeping costs less than copying.</summary>
    private const int LargestCopy = 64 << 10;

    private readonly OutputPlan _plan = new(config, method);
    private readonly long[][] _shapes = [.. config.Outputs.Select(output => output.ModelShape(config.IsBatching))];

    /// <summary>Takes over the outputs, also when it throws.</summary>
    /// <exception cref="InferenceException">An output is missing, or not as configured.</exception>
    public TensorSet Read(nint outputs)
    {
        var results = new TensorSet(capacity: config.Outputs.Count);
        var owner = 0;
        try
        {
            var count = NativeMethods.ListOutputs(outputs, out var returned);
            for (var i = 0; i < config.Outputs.Count; i++)
            {
                ref readonly var output = ref returned[_plan.Find(i, returned, count)];
                if (output.Kind == NativeKind.StringList)
                {
                    AddStrings(results, i, output);
                }
                else
                {
                    AddTensor(results, i, output.Tensor, outputs, ref owner);
                }
            }

            return results;
        }
        catch
        {
            results.Dispose();
            throw;
        }
        finally
        {
            if (owner == 0)
            {
                NativeMethods.FreeOutputs(outputs);
            }
        }
    }

    private void AddTensor(TensorSet results, int position, in NativeTensor tensor, nint outputs, ref int owner)
    {
        var configured = config.Outputs[position];
        var type = TorchTypes.FromNative(tensor.Type);
        if (type != configured.Type)
        {
            throw Unfit(configured, $"is configured as {configured.Type.ConfigName()}, and {method.Name} returned {type.ConfigName()}");
        }

        var shape = Shown(new ReadOnlySpan<long>(tensor.Dims, tensor.Rank).ToArray(), position);
        if (tensor.Bytes > Array.MaxLength)
        {
            throw new InferenceException(ErrorCode.Unsupported, $"output '{configured.Name}' has {tensor.Bytes} bytes; a tensor may have at most {Array.MaxLength}");
        }

        var length = (int)tensor.Bytes;
        if (length <= LargestCopy)
        {
            results.Rent(configured.Name, type, shape, length, out var copy);
            new ReadOnlySpan<byte>(tensor.Data, length).CopyTo(copy.Span);
            return;
        }

        // The first tensor that stays holds the memory of all of them, as the set lets go of all at once.
        var memory = new TorchMemory((byte*)tensor.Data, length);
        results.Add(new Tensor(configured.Name, type, shape, memory.Memory), owner++ == 0 ? new NativeOutputs(outputs) : null);
    }

    private void AddStrings(TensorSet results, int position, in NativeOutput output)
    {
        var configured = config.Outputs[position];
        if (configured.Type != DataType.Bytes)
        {
            throw Unfit(configured, $"is configured as {configured.Type.ConfigName()}, and {method.Name} returned strings, which are TYPE_STRING");
        }

        var texts = new ReadOnlySpan<NativeText>(output.Strings, output.Count);
        long bytes = 0;
        foreach (ref readonly var text in texts)
        {
            bytes += sizeof(int) + text.Bytes;
        }

        results.Rent(configured.Name, DataType.Bytes, StringsShape(output.Count, position), bytes, out var memory);
        var data = memory.Span;
        foreach (ref readonly var text in texts)
        {
            BinaryPrimitives.WriteInt32LittleEndian(data, (int)text.Bytes);
            new ReadOnlySpan<byte>(text.Data, (int)text.Bytes).CopyTo(data[sizeof(int)..]);
            data = data[(sizeof(int) + (int)text.Bytes)..];
        }
    }

    /// <summary>A list has one dimension; the configured shape may split it along others that are fixed.</summary>
    private long[] StringsShape(int count, int position)
    {
        var expected = _shapes[position];
        var perRow = Shapes.ElementCount(expected.AsSpan(1));
        var fits = perRow > 0 && count % perRow == 0 && (expected[0] < 0 || expected[0] == count / perRow);
        return fits ? [count / perRow, .. expected[1..]] : throw Unfit(config.Outputs[position], $"is configured with the shape {Shapes.Text(expected)}, and {method.Name} returned {count} strings");
    }

    /// <summary>The shape that clients see: a scalar is one element in one dimension where the configuration, whose shapes must have dimensions, says so.</summary>
    private long[] Shown(long[] shape, int position)
    {
        var expected = _shapes[position];
        if (shape.Length == 0 && expected is [1 or -1] && !config.IsBatching)
        {
            return [1];
        }

        var fits = shape.Length == expected.Length;
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = expected[i] < 0 || expected[i] == shape[i];
        }

        return fits ? shape : throw Unfit(config.Outputs[position], $"is configured with the shape {Shapes.Text(expected)}, and {method.Name} returned {Shapes.Text(shape)}");
    }

    private InferenceException Unfit(TensorConfig output, string reason) => new(ErrorCode.Internal, $"output '{output.Name}' of model '{config.Name}' {reason}");
}
