using Runtime.Backends;
using Runtime.Functions.Execution;
using Runtime.Inference;
using Runtime.Models;

namespace Runtime.Functions;

/// <summary>The backend of functions that are bound in code; <see cref="ModelRepository.AddAsync"/> serves them.</summary>
public sealed class BoundFunctions(IReadOnlyList<FunctionModel> functions, FunctionServices services) : IBackend
{
    internal const string BackendName = "bound";

    public string Name => BackendName;

    public bool NeedsFiles => false;

    public ILoadedModel Load(ModelConfig config, string versionDirectory)
    {
        var function = functions.FirstOrDefault(known => known.Name == config.Name)
            ?? throw new InferenceException(ErrorCode.NotFound, $"no function is bound as '{config.Name}'");
        return new LoadedFunction(new FunctionOrigin(function.Create, function.Form, ""), services);
    }
}
