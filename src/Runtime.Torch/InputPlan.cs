using Runtime.Inference;
using Runtime.Models;
using Runtime.Tensors;
using Runtime.Torch.Interop;

namespace Runtime.Torch;

/// <summary>What one argument is given: inputs, by their positions in the configuration.</summary>
internal sealed record ArgumentSlot(NativeKind Kind, int[] Inputs);

/// <summary>
/// Which input goes into which argument, by the rules of Triton's PyTorch backend: by the argument's name, by index
/// (<c>INPUT__0</c>), or by order where no name says anything; all of them into a dictionary or a list that is the only argument.
/// </summary>
internal sealed class InputPlan
{
    private readonly ModelConfig _config;
    private readonly MethodSignature _method;
    private readonly string[] _names;
    private readonly List<int>[] _given;

    /// <exception cref="InferenceException">The configured inputs do not fit the method; the message shows its arguments.</exception>
    public InputPlan(ModelConfig config, MethodSignature method)
    {
        (_config, _method) = (config, method);
        _names = [.. config.Inputs.Select(input => input.Name)];
        _given = [.. method.Arguments.Select(_ => new List<int>())];
        var sole = SoleCollection();
        if (sole >= 0)
        {
            _given[sole].AddRange(method.Arguments[sole].Kind == NativeKind.TensorDictionary ? Enumerable.Range(0, _names.Length) : InOrder());
        }
        else
        {
            Distribute();
        }

        Slots = [.. method.Arguments.Zip(_given, Slot)];
    }

    /// <summary>For each argument what it is given.</summary>
    public ArgumentSlot[] Slots { get; }

    /// <summary>The position of a dictionary or list that takes all inputs, as nothing else must be given; or -1.</summary>
    private int SoleCollection()
    {
        var arguments = _method.Arguments;
        var collections = Enumerable.Range(0, arguments.Length).Where(i => arguments[i].Kind is NativeKind.TensorDictionary or NativeKind.TensorList).ToArray();
        return collections.Length == 1 && arguments.Index().All(argument => argument.Index == collections[0] || argument.Item.IsOptional)
            && !_names.Any(name => Array.Exists(arguments, argument => argument.Name == name))
                ? collections[0]
                : -1;
    }

    /// <summary>A list's inputs by their indices where all have one, else in the configuration's order.</summary>
    private IEnumerable<int> InOrder()
    {
        var indices = Array.ConvertAll(_names, name => IndexedName.From(name)?.Index ?? -1);
        if (Array.TrueForAll(indices, index => index < 0))
        {
            return Enumerable.Range(0, _names.Length);
        }

        return indices.Order().SequenceEqual(Enumerable.Range(0, indices.Length))
            ? Enumerable.Range(0, indices.Length).OrderBy(i => indices[i])
            : throw Unfit($"the indices of a list's inputs must be 0 to {indices.Length - 1}, each once");
    }

    private void Distribute()
    {
        var byName = Array.ConvertAll(_names, name => Array.FindIndex(_method.Arguments, argument => argument.Name == name));
        var byIndex = Array.ConvertAll(_names, Indexed);
        var places = Array.TrueForAll(byName, place => place >= 0) ? byName
            : Array.TrueForAll(byIndex, place => place >= 0) ? byIndex
            : Array.TrueForAll(byName, place => place < 0) && Array.TrueForAll(byIndex, place => place < 0) ? [.. Enumerable.Range(0, _names.Length)]
            : throw Unfit("some of the names are arguments or indices and others are not");
        foreach (var input in Enumerable.Range(0, places.Length).OrderBy(i => IndexedName.From(_names[i])?.Inner ?? -1))
        {
            if (places[input] >= _given.Length)
            {
                throw Unfit($"input '{_names[input]}' would be argument {places[input]}, and there are {_given.Length}");
            }

            _given[places[input]].Add(input);
        }
    }

    /// <summary>The place that the name's index says, or -1.</summary>
    private static int Indexed(string name) => IndexedName.From(name)?.Index ?? -1;

    private ArgumentSlot Slot(MethodArgument argument, List<int> inputs)
    {
        var isCollection = argument.Kind is NativeKind.TensorDictionary or NativeKind.TensorList;
        if (inputs.Count == 0)
        {
            return argument.IsOptional ? new(NativeKind.None, []) : throw Unfit($"argument '{argument.Name}' gets no input");
        }

        if (argument.Kind == NativeKind.Other)
        {
            throw Unfit($"argument '{argument.Name}' is no tensor, so that no input can be given to it");
        }

        if (inputs.Count > 1 && !isCollection)
        {
            throw Unfit($"argument '{argument.Name}' gets the inputs {List(inputs.Select(input => _names[input]))}");
        }

        var required = inputs.FirstOrDefault(input => _config.Inputs[input].Optional && !argument.IsOptional && !isCollection, -1);
        if (required >= 0)
        {
            throw Unfit($"input '{_names[required]}' is optional, and argument '{argument.Name}' must be given");
        }

        inputs.ForEach(input => CheckType(_config.Inputs[input], argument));
        return new(argument.Kind == NativeKind.OptionalTensor ? NativeKind.Tensor : argument.Kind, [.. inputs]);
    }

    private void CheckType(TensorConfig input, MethodArgument argument)
    {
        var isStrings = argument.Kind == NativeKind.StringList;
        if (isStrings != (input.Type == DataType.Bytes))
        {
            throw Unfit(isStrings
                ? $"argument '{argument.Name}' takes strings, so that input '{input.Name}' must be TYPE_STRING, got {input.Type.ConfigName()}"
                : $"input '{input.Name}' is TYPE_STRING, which only an argument List[str] takes");
        }

        if (!isStrings && TorchTypes.ToNative(input.Type) == 0)
        {
            throw new InferenceException(ErrorCode.Unsupported, $"input '{input.Name}' of model '{_config.Name}' is {input.Type.ConfigName()}, which torch has no tensors of");
        }
    }

    private InferenceException Unfit(string reason)
    {
        var arguments = _method.Arguments.Where(argument => argument.Kind != NativeKind.Other).Select(argument => argument.Name).ToArray();
        var indexed = List(Enumerable.Range(0, Math.Max(1, arguments.Length)).Select(i => $"INPUT__{i}"));
        return new(
            ErrorCode.InvalidArgument,
            $"the inputs {List(_names)} of model '{_config.Name}' do not fit its method {_method}: {reason}; name them after the arguments ({List(arguments)}) or by index ({indexed})");
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names);
}
