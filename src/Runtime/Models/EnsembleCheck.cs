using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Models;

/// <summary>Checks an ensemble against the models of its steps, which must serve already.</summary>
internal static class EnsembleCheck
{
    /// <exception cref="ModelConfigException">The graph does not fit together; the message names step and tensor.</exception>
    public static void Check(ModelConfig config, IReadOnlyList<EnsembleStep> steps, Ensemble.AcquireModel acquire)
    {
        var tensors = config.Inputs.ToDictionary(input => input.Name, input => (Type: input.Type, Shape: input.ClientShape(config.IsBatching), From: "the ensemble's inputs"));
        var wanted = new List<(string Step, string Tensor, TensorConfig Input, bool IsBatching)>();
        foreach (var step in steps)
        {
            if (acquire(step.ModelName, step.Version, out var lease) is { } error)
            {
                throw Invalid($"ensemble {config.Name} contains models that are not available: {step.ModelName} ({error.Message})");
            }

            using (lease)
            {
                CheckStep(config, step, lease.Model.Config);
                wanted.AddRange(step.Inputs.Select(input => (step.ModelName, input.Value, RequestCheck.Find(lease.Model.Config.Inputs, input.Key)!, lease.Model.Config.IsBatching)));
                foreach (var (output, tensor) in step.Outputs)
                {
                    var known = RequestCheck.Find(lease.Model.Config.Outputs, output)!;
                    if (!tensors.TryAdd(tensor, (known.Type, known.ClientShape(lease.Model.Config.IsBatching), $"step '{step.ModelName}'")))
                    {
                        throw Invalid($"ensemble {config.Name}: tensor '{tensor}' comes from {tensors[tensor].From} and again from step '{step.ModelName}'");
                    }
                }
            }
        }

        foreach (var (step, tensor, input, isBatching) in wanted)
        {
            Match(config.Name, tensors, tensor, input, isBatching, $"step '{step}', input '{input.Name}'");
        }

        foreach (var output in config.Outputs)
        {
            Match(config.Name, tensors, output.Name, output, config.IsBatching, $"the ensemble's output '{output.Name}'");
        }

        CheckCanStart(config, steps);
    }

    /// <summary>Follows the steps as a request would: whoever is left waits for another that is left.</summary>
    private static void CheckCanStart(ModelConfig config, IReadOnlyList<EnsembleStep> steps)
    {
        var known = config.Inputs.Select(input => input.Name).ToHashSet();
        var waiting = steps.ToList();
        while (waiting.Count > 0)
        {
            var ready = waiting.FindAll(step => step.Inputs.Values.All(known.Contains));
            if (ready.Count == 0)
            {
                throw Invalid($"ensemble {config.Name}: the steps {string.Join(", ", waiting.Select(step => $"'{step.ModelName}'"))} wait for each other's outputs, so none of them can start");
            }

            waiting.RemoveAll(ready.Contains);
            known.UnionWith(ready.SelectMany(step => step.Outputs.Values));
        }
    }

    private static void CheckStep(ModelConfig config, EnsembleStep step, ModelConfig model)
    {
        if (model.IsDecoupled)
        {
            throw Invalid($"ensemble {config.Name}: step '{step.ModelName}' is decoupled, which an ensemble cannot run yet");
        }

        var unknown = step.Inputs.Keys.FirstOrDefault(name => RequestCheck.Find(model.Inputs, name) is null)
            ?? step.Outputs.Keys.FirstOrDefault(name => RequestCheck.Find(model.Outputs, name) is null);
        if (unknown is not null)
        {
            throw Invalid($"ensemble {config.Name}: step '{step.ModelName}' maps '{unknown}', which that model does not have");
        }

        var missing = model.Inputs.FirstOrDefault(input => !input.Optional && !step.Inputs.ContainsKey(input.Name));
        if (missing is not null)
        {
            throw Invalid($"ensemble {config.Name}: step '{step.ModelName}' lacks a tensor for input '{missing.Name}'");
        }

        if (config.MaxBatchSize > model.MaxBatchSize)
        {
            throw Invalid($"ensemble {config.Name}: max_batch_size {config.MaxBatchSize} is more than step '{step.ModelName}' takes: {model.MaxBatchSize}");
        }
    }

    private static void Match(
        string ensemble, Dictionary<string, (DataType Type, long[] Shape, string From)> tensors, string tensor, TensorConfig wanted, bool isBatching, string where)
    {
        if (!tensors.TryGetValue(tensor, out var found))
        {
            throw Invalid($"ensemble {ensemble}: nothing gives tensor '{tensor}', which {where} needs");
        }

        if (found.Type != wanted.Type)
        {
            throw Invalid($"ensemble {ensemble}: tensor '{tensor}' is {found.Type.Name()} from {found.From}, but {where} wants {wanted.Type.Name()}");
        }

        var shape = wanted.ClientShape(isBatching);
        var fits = shape.Length == found.Shape.Length && shape.Zip(found.Shape).All(pair => pair.First < 0 || pair.Second < 0 || pair.First == pair.Second);
        if (!fits)
        {
            throw Invalid($"ensemble {ensemble}: tensor '{tensor}' has shape {Shapes.Text(found.Shape)} from {found.From}, but {where} wants {Shapes.Text(shape)}");
        }
    }

    private static ModelConfigException Invalid(string message) => new(message);
}
