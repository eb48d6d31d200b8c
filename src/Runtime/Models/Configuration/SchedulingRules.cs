using Runtime.Scheduling;
using ControlKind = Runtime.Protocol.ModelSequenceBatching.Types.Control.Types.Kind;

namespace Runtime.Models.Configuration;

/// <summary>The rules for <c>dynamic_batching</c>, its parameters and <c>model_warmup</c>.</summary>
internal static class SchedulingRules
{
    // Each level has its queue; and levels are compared as 32-bit numbers.
    private const ulong MostPriorityLevels = 65_535;

    public static void Check(Protocol.ModelConfig config)
    {
        CheckWarmup(config);
        CheckRetry(config);
        CheckSequences(config);
        if (config.DynamicBatching is not { } batching)
        {
            return;
        }

        CheckSizes(config, "dynamic batching", batching.PreferredBatchSize);
        CheckPriorities(config, batching);
        CheckOrdering(config, batching);
    }

    private static void CheckSizes(Protocol.ModelConfig config, string scheduler, IEnumerable<int> preferred)
    {
        foreach (var size in preferred)
        {
            if (size <= 0)
            {
                throw new ModelConfigException($"{scheduler} preferred size must be positive for {config.Name}, got {size}");
            }

            if (size > config.MaxBatchSize)
            {
                throw new ModelConfigException($"{scheduler} preferred size must be <= max batch size for {config.Name}, got {size} with 'max_batch_size' {config.MaxBatchSize}");
            }
        }
    }

    private static void CheckSequences(Protocol.ModelConfig config)
    {
        if (config.SequenceBatching is not { } sequences)
        {
            return;
        }

        CheckSizes(config, "sequence batching", sequences.Oldest?.PreferredBatchSize ?? []);
        foreach (var input in sequences.ControlInput.Where(input => input.Control.Count == 0))
        {
            throw new ModelConfigException($"model '{config.Name}': sequence control input '{input.Name}' must specify its 'control', such as CONTROL_SEQUENCE_START");
        }

        var corrid = sequences.ControlInput.FirstOrDefault(input => input.Control.Any(control => control is { Kind: ControlKind.ControlSequenceCorrid, DataType: Protocol.DataType.TypeInvalid }));
        if (corrid is not null)
        {
            throw new ModelConfigException($"model '{config.Name}': sequence control input '{corrid.Name}' must specify the 'data_type' of its correlation ID, and no values for false and true");
        }

        var twice = config.Input.FirstOrDefault(input => IsOfSequence(config, input.Name));
        if (twice is not null)
        {
            throw new ModelConfigException($"model '{config.Name}': '{twice.Name}' is an 'input' and again an input of 'sequence_batching', which the server fills; leave it away from one of them");
        }
    }

    private static void CheckRetry(Protocol.ModelConfig config)
    {
        if (config.Parameters.TryGetValue(BatchExecutor.RetryParameter, out var value) && value.StringValue is not ("true" or "false"))
        {
            throw new ModelConfigException($"model '{config.Name}': parameter '{BatchExecutor.RetryParameter}' must be 'true' or 'false', got '{value.StringValue}'");
        }
    }

    private static void CheckPriorities(Protocol.ModelConfig config, Protocol.ModelDynamicBatching batching)
    {
        var levels = batching.PriorityLevels;
        if (levels > MostPriorityLevels)
        {
            throw new ModelConfigException($"model '{config.Name}': 'priority_levels' must be at most {MostPriorityLevels}, got {levels}");
        }

        if (levels > 0 && (batching.DefaultPriorityLevel == 0 || batching.DefaultPriorityLevel > levels))
        {
            throw new ModelConfigException($"default priority level must be in range [1, {levels}] for {config.Name}, got {batching.DefaultPriorityLevel}");
        }

        if (levels == 0 && batching.DefaultPriorityLevel > 0)
        {
            throw new ModelConfigException($"model '{config.Name}': 'default_priority_level' needs 'priority_levels'");
        }

        foreach (var level in batching.PriorityQueuePolicy.Keys)
        {
            if (level == 0 || level > levels)
            {
                throw new ModelConfigException($"priority queue policy must have priority level in range [1, {levels}] for {config.Name}, got {level}");
            }
        }
    }

    private static void CheckOrdering(Protocol.ModelConfig config, Protocol.ModelDynamicBatching batching)
    {
        if (!batching.PreserveOrdering)
        {
            return;
        }

        if (batching.PriorityLevels > 1)
        {
            throw new ModelConfigException($"Only one priority level is allowed when 'preserve_ordering' is true for {config.Name}, got {batching.PriorityLevels}");
        }

        foreach (var policy in batching.PriorityQueuePolicy.Values.Append(batching.DefaultQueuePolicy))
        {
            if (policy is { DefaultTimeoutMicroseconds: > 0, TimeoutAction: Protocol.ModelQueuePolicy.Types.TimeoutAction.Delay })
            {
                throw new ModelConfigException($"Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for {config.Name}");
            }
        }
    }

    private static void CheckWarmup(Protocol.ModelConfig config)
    {
        foreach (var sample in config.ModelWarmup)
        {
            if (sample.BatchSize > Math.Max(1, config.MaxBatchSize))
            {
                throw new ModelConfigException(
                    $"model '{config.Name}', warmup sample '{sample.Name}': batch size {sample.BatchSize} is more than 'max_batch_size' {config.MaxBatchSize}");
            }

            var unknown = sample.Inputs.Keys.FirstOrDefault(name => config.Input.All(input => input.Name != name) && !IsOfSequence(config, name));
            if (unknown is not null)
            {
                throw new ModelConfigException(
                    $"model '{config.Name}', warmup sample '{sample.Name}': unexpected input '{unknown}', the model has {string.Join(", ", config.Input.Select(input => input.Name))}");
            }
        }
    }

    private static bool IsOfSequence(Protocol.ModelConfig config, string input) => config.SequenceBatching is { } sequences
        && (sequences.ControlInput.Any(control => control.Name == input) || sequences.State.Any(state => state.InputName == input));
}
