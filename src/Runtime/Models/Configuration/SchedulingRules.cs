using Runtime.Scheduling;

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
        if (config.DynamicBatching is not { } batching)
        {
            return;
        }

        foreach (var size in batching.PreferredBatchSize)
        {
            if (size <= 0)
            {
                throw new ModelConfigException($"dynamic batching preferred size must be positive for {config.Name}, got {size}");
            }

            if (size > config.MaxBatchSize)
            {
                throw new ModelConfigException(
                    $"dynamic batching preferred size must be <= max batch size for {config.Name}, got {size} with 'max_batch_size' {config.MaxBatchSize}");
            }
        }

        CheckPriorities(config, batching);
        CheckOrdering(config, batching);
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
