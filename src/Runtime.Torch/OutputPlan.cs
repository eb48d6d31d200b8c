using System.Runtime.InteropServices;
using System.Text;
using Runtime.Inference;
using Runtime.Models;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>
/// Which returned tensor is which configured output: by the key of a dictionary or the field of a named tuple, by index
/// (<c>OUTPUT__0</c>), or by order where no name says anything.
/// </summary>
internal sealed unsafe class OutputPlan
{
    private readonly ModelConfig _config;
    private readonly MethodSignature _method;
    private readonly byte[][] _keys;
    private readonly IndexedName?[] _indices;

    /// <exception cref="InferenceException">The configured outputs do not fit what the method returns; the message shows it.</exception>
    public OutputPlan(ModelConfig config, MethodSignature method)
    {
        (_config, _method) = (config, method);
        _keys = [.. config.Outputs.Select(output => Encoding.UTF8.GetBytes(output.Name))];
        _indices = [.. config.Outputs.Select(output => IndexedName.From(output.Name))];
        if (CountReturned(method.Returns) is { } count)
        {
            Check(count);
        }
    }

    /// <summary>The place of a configured output among those returned.</summary>
    /// <exception cref="InferenceException">It was not returned.</exception>
    public int Find(int output, NativeOutput* returned, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (returned[i].Tensor.Name != null && _keys[output].AsSpan().SequenceEqual(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(returned[i].Tensor.Name)))
            {
                return i;
            }
        }

        // By order only what has no name, or a misspelt key would get another's tensor.
        var isIndexed = _indices[output] is not null;
        var (index, inner) = _indices[output] is { } name ? (name.Index, name.Inner) : (output, -1);
        for (var i = 0; i < count; i++)
        {
            if (returned[i].Index == index && returned[i].Inner == inner && (isIndexed || returned[i].Tensor.Name == null))
            {
                return i;
            }
        }

        throw new InferenceException(ErrorCode.Internal, $"model '{_config.Name}' did not return output '{_config.Outputs[output].Name}'; {_method} returned {Describe(returned, count)}");
    }

    private void Check(int count)
    {
        var indexed = _indices.Where(index => index is not null).Select(index => (index!.Value.Index, index.Value.Inner)).ToArray();
        if (indexed.Length > 0 && indexed.Length < _indices.Length)
        {
            throw Unfit("some of the names have an index and others do not");
        }

        for (var i = 0; i < _indices.Length; i++)
        {
            if ((_indices[i]?.Index ?? i) >= count)
            {
                throw Unfit($"there is no {_config.Outputs[i].Name}, as it returns {count}");
            }
        }

        if (indexed.Distinct().Count() < indexed.Length)
        {
            throw Unfit("two names have the same index");
        }
    }

    /// <summary>How many values a type without names in it stands for; null where only a run tells.</summary>
    private static int? CountReturned(string type)
    {
        if (type is "Tensor" or "List[str]")
        {
            return 1;
        }

        const string tuple = "Tuple[";
        if (!type.StartsWith(tuple, StringComparison.Ordinal) || type.Contains("Dict[", StringComparison.Ordinal))
        {
            return null;
        }

        var depth = 0;
        return 1 + type[tuple.Length..^1].Count(character =>
        {
            depth += character == '[' ? 1 : character == ']' ? -1 : 0;
            return character == ',' && depth == 0;
        });
    }

    private static string Describe(NativeOutput* returned, int count)
    {
        var places = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var name = Marshal.PtrToStringUTF8((nint)returned[i].Tensor.Name);
            places.Add(name ?? $"OUTPUT__{returned[i].Index}{(returned[i].Inner < 0 ? "" : $"__{returned[i].Inner}")}");
        }

        return places.Count == 0 ? "nothing" : string.Join(", ", places);
    }

    private InferenceException Unfit(string reason) => new(
        ErrorCode.InvalidArgument,
        $"the outputs {string.Join(", ", _config.Outputs.Select(output => output.Name))} of model '{_config.Name}' do not fit its method {_method}: {reason}; "
        + "name them by index (OUTPUT__0) or by a dictionary's keys, or list them in the order in which they are returned");
}
