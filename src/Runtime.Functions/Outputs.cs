using System.Collections;

namespace Runtime.Functions;

/// <summary>
/// What a function gives, by name: numbers, bools, strings and byte[] (one element of BYTES) are tensors of shape [1]; arrays and
/// lists of them tensors of shape [n]; arrays of several dimensions and <see cref="TensorValue"/> have their own shape;
/// anything else becomes JSON in a string. Where the model batches, the host adds the batch dimension.
/// </summary>
public sealed class Outputs : IEnumerable<KeyValuePair<string, object?>>
{
    private readonly List<KeyValuePair<string, object?>> _values = [];

    public Outputs()
    {
    }

    /// <summary>Takes over all entries, in their order.</summary>
    public Outputs(IEnumerable<KeyValuePair<string, object?>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (name, value) in values)
        {
            this[name] = value;
        }
    }

    public int Count => _values.Count;

    /// <summary>The value of a name; setting it adds the name or replaces its value.</summary>
    /// <exception cref="KeyNotFoundException">There is no value of that name.</exception>
    public object? this[string name]
    {
        get => IndexOf(name) is var index and >= 0 ? _values[index].Value : throw new KeyNotFoundException($"there is no output '{name}'");
        set
        {
            var index = IndexOf(name);
            if (index < 0)
            {
                _values.Add(new(name, value));
            }
            else
            {
                _values[index] = new(name, value);
            }
        }
    }

    public static implicit operator Outputs(Dictionary<string, object?> values) => new(values);

    /// <summary>So that a function that has nothing to wait for can return its outputs as they are.</summary>
    public static implicit operator ValueTask<Outputs>(Outputs outputs) => ValueTask.FromResult(outputs);

    public void Add(string name, object? value) => this[name] = value;

    public bool ContainsKey(string name) => IndexOf(name) >= 0;

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(string name)
    {
        for (var i = 0; i < _values.Count; i++)
        {
            if (_values[i].Key == name)
            {
                return i;
            }
        }

        return -1;
    }
}
