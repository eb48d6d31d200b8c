namespace Runtime.Models.Configuration;

/// <summary>Fields that are known and not served yet: better refused than ignored. Serving one begins with removing its row.</summary>
internal static class UnsupportedFields
{
    private static readonly Row[] Rows =
    [
        new("sequence_batching.iterative_sequence", config => config.SequenceBatching is { IterativeSequence: true }, "remove it"),
        new("sequence_batching.direct.minimum_slot_utilization", config => config.SequenceBatching?.Direct is { MinimumSlotUtilization: > 0 }, "remove it; batches wait for 'max_queue_delay_microseconds' only"),
        new("sequence_batching.state.use_growable_memory", config => config.SequenceBatching?.State.Any(state => state.UseGrowableMemory) ?? false, "remove it"),
        new("ensemble_scheduling.max_inflight_requests", config => config.EnsembleScheduling is { MaxInflightRequests: > 0 }, "remove it"),
        new("ensemble_scheduling.step.model_namespace", config => config.EnsembleScheduling?.Step.Any(step => step.ModelNamespace.Length > 0) ?? false, "remove it; names are unique here"),
        new("batch_input", config => config.BatchInput.Count > 0, "remove it and send the values as inputs"),
        new("batch_output", config => config.BatchOutput.Count > 0, "remove it"),
        new("input.allow_ragged_batch", config => config.Input.Any(input => input.AllowRaggedBatch), "remove it; requests of equal shape are batched"),
        new("is_shape_tensor", config => config.Input.Any(input => input.IsShapeTensor) || config.Output.Any(output => output.IsShapeTensor), "shape tensors are for TensorRT only; remove it"),
        new("is_non_linear_format_io", config => config.Input.Any(input => input.IsNonLinearFormatIo) || config.Output.Any(output => output.IsNonLinearFormatIo), "non-linear formats are for TensorRT only; remove it"),
        new("instance_group.rate_limiter", config => config.InstanceGroup.Any(group => group.RateLimiter is { } limiter && (limiter.Resources.Count > 0 || limiter.Priority > 0)), "remove it and choose the count of instances"),
        new("instance_group.secondary_devices", config => config.InstanceGroup.Any(group => group.SecondaryDevices.Count > 0), "remove it"),
        new("instance_group.profile", config => config.InstanceGroup.Any(group => group.Profile.Count > 0), "profiles are for TensorRT only; remove it"),
        new("instance_group.passive", config => config.InstanceGroup.Any(group => group.Passive), "remove it"),
        new("instance_group.host_policy", config => config.InstanceGroup.Any(group => group.HostPolicy.Length > 0), "remove it"),
        new("model_operations", config => config.ModelOperations is { OpLibraryFilename.Count: > 0 }, "remove it"),
        new("model_repository_agents", config => config.ModelRepositoryAgents is { Agents.Count: > 0 }, "remove it and put the model's files in place beforehand"),
        new("optimization.execution_accelerators", config => config.Optimization?.ExecutionAccelerators is { } accelerators && (accelerators.CpuExecutionAccelerator.Count > 0 || (accelerators.GpuExecutionAccelerator.Count > 0 && !IsOnnx(config))), "remove it; the backend's own provider is used"),
        new("optimization.cuda.graphs", config => config.Optimization?.Cuda is { Graphs: true } && !IsOnnx(config), "remove it"),
        new("optimization.cuda.graph_spec", config => config.Optimization?.Cuda is { GraphSpec.Count: > 0 }, "remove it; a graph is captured for each batch size that comes"),
        new("optimization.eager_batching", config => config.Optimization is { EagerBatching: true }, "remove it"),
        new("optimization.gather_kernel_buffer_threshold", config => config.Optimization is { GatherKernelBufferThreshold: > 0 }, "remove it"),
        new("cc_model_filenames", config => config.CcModelFilenames.Count > 0, "remove it and name the file in 'default_model_filename'"),
        new("model_metrics", config => config.ModelMetrics is { MetricControl.Count: > 0 }, "remove it; the metrics have their own buckets"),
        new("metric_tags", config => config.MetricTags.Count > 0, "remove it and label the metrics where they are scraped"),
        new("parameters.pad.* of an ensemble", config => config.EnsembleScheduling is not null && config.Parameters.Keys.Any(PaddingParameters.IsPadding), "set them on the models of its steps"),
    ];

    public static void Check(Protocol.ModelConfig config)
    {
        var row = Array.Find(Rows, row => row.IsSet(config));
        if (row is not null)
        {
            throw new ModelConfigException($"model '{config.Name}': '{row.Field}' is not supported yet; {row.Advice}");
        }
    }

    private static bool IsOnnx(Protocol.ModelConfig config) => config.Backend == BackendFields.OnnxRuntime;

    private sealed record Row(string Field, Predicate<Protocol.ModelConfig> IsSet, string Advice);
}
