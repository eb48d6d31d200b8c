using Runtime.Functions;
using HostOptions = Runtime.Host.Options.HostOptions;

namespace Runtime.Host.Embedding;

/// <summary>What a program that has the runtime inside of it serves.</summary>
public sealed class RuntimeBuilder
{
    private readonly List<FunctionModel> _functions = [];

    /// <summary>The settings; those of addresses, ports and logs have no effect, since the program has its own.</summary>
    public HostOptions Options { get; set; } = new() { StrictReadiness = true };

    internal IReadOnlyList<FunctionModel> Functions => _functions;

    /// <summary>Serves a function of the program's own, beside the models of the repositories.</summary>
    public RuntimeBuilder Bind(FunctionModel function)
    {
        _functions.Add(function);
        return this;
    }
}
