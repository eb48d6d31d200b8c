namespace Runtime.Functions;

/// <summary>The secrets that the host gives its functions. Ask at each use: they may change.</summary>
public sealed class Secrets
{
    private readonly Func<string, string?> _find;

    internal Secrets(Func<string, string?> find) => _find = find;

    /// <summary>A secret's present value.</summary>
    /// <exception cref="KeyNotFoundException">There is none of that name.</exception>
    public string this[string name] => Find(name) ?? throw new KeyNotFoundException($"there is no secret '{name}'");

    /// <summary>A secret's present value; null where there is none.</summary>
    public string? Find(string name) => _find(name);
}
