using System.Globalization;
using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>
/// Reads a complete configuration's parameters about padding: <c>pad.buckets</c>, <c>pad.INPUT.dim</c>,
/// <c>pad.INPUT.value</c>, <c>pad.INPUT.like</c>, <c>pad.OUTPUT.dim</c> and <c>pad.OUTPUT.like</c>.
/// </summary>
internal sealed class PaddingParameters
{
    private const string Prefix = "pad.";
    private const string BucketsKey = "pad.buckets";

    private readonly ModelConfig _config;

    private PaddingParameters(ModelConfig config) => _config = config;

    /// <summary>Null where the model names no padding.</summary>
    /// <exception cref="InferenceException">A parameter is wrong, or would have no effect.</exception>
    public static PaddingConfig? Read(ModelConfig config)
        => config.Parameters.Keys.Any(IsPadding) ? new PaddingParameters(config).Read() : null;

    public static bool IsPadding(string key) => key.StartsWith(Prefix, StringComparison.Ordinal);

    private PaddingConfig Read()
    {
        foreach (var key in _config.Parameters.Keys.Where(key => IsPadding(key) && key != BucketsKey))
        {
            CheckKey(key);
        }

        PaddedInput[] inputs = [.. _config.Inputs.Where(IsNamed).Select(Input)];
        if (inputs.Length == 0)
        {
            throw Invalid("has parameters about padding, but names no input to pad; set 'pad.INPUT.dim'");
        }

        var buckets = Buckets();
        if (_config.IsDecoupled)
        {
            throw Invalid("is decoupled, so its requests are not padded; remove its parameters 'pad.*'");
        }

        if (buckets.Length == 0 && (_config.DynamicBatching is null || !_config.IsBatching))
        {
            throw Invalid($"would never pad: it does not batch requests dynamically, and has no '{BucketsKey}'; set one of them");
        }

        foreach (var input in inputs.Where(input => input.Like is not null))
        {
            CheckLike(input.Name, input.Like!, [.. inputs.Where(other => other.Like is null)]);
        }

        return new PaddingConfig(inputs, [.. _config.Outputs.Where(IsNamed).Select(output => Output(output, inputs))], buckets);
    }

    private void CheckKey(string key)
    {
        var end = key.LastIndexOf('.');
        var name = end < Prefix.Length ? "" : key[Prefix.Length..end];
        var isInput = _config.Inputs.Any(input => input.Name == name);
        if (key[(end + 1)..] is not ("dim" or "value" or "like") || name.Length == 0)
        {
            throw Invalid($"has an unknown parameter '{key}'; known are 'pad.buckets', 'pad.NAME.dim', 'pad.NAME.value' and 'pad.NAME.like'");
        }

        if (!isInput && _config.Outputs.All(output => output.Name != name))
        {
            throw Invalid($"has a parameter '{key}', but neither an input nor an output '{name}'");
        }

        if (!isInput && key.EndsWith(".value", StringComparison.Ordinal))
        {
            throw Invalid($"has a parameter '{key}', but '{name}' is an output, which is cut and not filled; remove it");
        }

        if (!_config.Parameters.ContainsKey($"pad.{name}.dim"))
        {
            throw Invalid($"has a parameter '{key}', which needs 'pad.{name}.dim' beside it");
        }
    }

    private PaddedInput Input(TensorConfig input)
    {
        var axis = Axis(input, "input");
        var text = Value($"pad.{input.Name}.value");
        var element = PaddingElement.TryParse(input.Type, text)
            ?? throw Invalid($"has a parameter 'pad.{input.Name}.value' that must be a value of {input.Type.ConfigName()}, as input '{input.Name}' is, got '{text}'");
        return new PaddedInput(input.Name, axis, element, Value($"pad.{input.Name}.like"));
    }

    private PaddedOutput Output(TensorConfig output, PaddedInput[] inputs)
    {
        var axis = Axis(output, "output");
        var like = Value($"pad.{output.Name}.like");
        if (like is null)
        {
            var lengths = inputs.Where(input => input.Like is null).Select(input => input.Name).ToArray();
            like = lengths.Length == 1
                ? lengths[0]
                : throw Invalid($"pads inputs of different lengths, so 'pad.{output.Name}.like' must say which one's output '{output.Name}' has: {string.Join(", ", lengths)}");
        }

        CheckLike(output.Name, like, inputs);
        return new PaddedOutput(output.Name, axis, like);
    }

    private void CheckLike(string name, string like, IReadOnlyList<PaddedInput> lengths)
    {
        if (name == like && lengths.All(input => input.Name != name))
        {
            throw Invalid($"has a parameter 'pad.{name}.like' that names the input itself; remove it");
        }

        if (lengths.All(input => input.Name != like))
        {
            throw Invalid($"has a parameter 'pad.{name}.like' that must name a padded input with a length of its own, one of [{string.Join(", ", lengths.Select(input => input.Name))}], got '{like}'");
        }

        if (_config.Inputs.Any(input => input.Name == like && input.Optional))
        {
            throw Invalid($"takes the length of '{name}' from input '{like}', which is optional; it must always be there");
        }
    }

    private int Axis(TensorConfig tensor, string kind)
    {
        var key = $"pad.{tensor.Name}.dim";
        var text = Value(key);
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var dimension) || dimension >= tensor.Dims.Length)
        {
            throw Invalid($"has a parameter '{key}' that must name one of the {tensor.Dims.Length} dimensions of {kind} '{tensor.Name}', counted from 0 without the batch dimension, got '{text}'");
        }

        if (tensor.Reshape is not null)
        {
            throw Invalid($"reshapes {kind} '{tensor.Name}', which therefore cannot be padded; remove 'reshape' or '{key}'");
        }

        return tensor.Dims[dimension] < 0
            ? dimension + (_config.IsBatching ? 1 : 0)
            : throw Invalid($"has a parameter '{key}', but dimension {dimension} of {kind} '{tensor.Name}' is always {tensor.Dims[dimension]}; only one declared as -1 can vary");
    }

    private long[] Buckets()
    {
        var text = Value(BucketsKey);
        if (text is null)
        {
            return [];
        }

        var buckets = Array.ConvertAll(
            text.Split(',', StringSplitOptions.TrimEntries),
            part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var bucket) ? bucket : 0);
        for (var i = 0; i < buckets.Length; i++)
        {
            if (buckets[i] <= (i == 0 ? 0 : buckets[i - 1]))
            {
                throw Invalid($"has a parameter '{BucketsKey}' that must be ascending lengths above 0, separated by commas, got '{text}'");
            }
        }

        return buckets;
    }

    private bool IsNamed(TensorConfig tensor) => _config.Parameters.ContainsKey($"pad.{tensor.Name}.dim");

    private string? Value(string key) => _config.Parameters.GetValueOrDefault(key);

    private InferenceException Invalid(string message) => new(ErrorCode.InvalidArgument, $"model '{_config.Name}' {message}");
}
