using Runtime.Models;
using Runtime.Models.Configuration;
using Runtime.Tensors;

namespace Runtime.Schemas;

/// <summary>Brings a model's configuration and its input schema together.</summary>
internal static class SchemaConfig
{
    /// <summary>
    /// Fills in what only the schema knows, for a model whose files declare no inputs: a function. Its own configuration wins.
    /// </summary>
    public static void Fill(Protocol.ModelConfig config, InputSchema schema)
    {
        if (config.Input.Count == 0)
        {
            config.Input.AddRange(schema.Inputs.Select(input => new Protocol.ModelInput
            {
                Name = input.Name,
                DataType = ConfigDataTypes.To(input.Type),
                Dims = { input.Shape },
                Optional = !input.Required,
            }));
        }

        if (schema.BatchSize > 0 && config.MaxBatchSize == 0)
        {
            config.MaxBatchSize = schema.BatchSize;
            if (config.SchedulingChoiceCase == Protocol.ModelConfig.SchedulingChoiceOneofCase.None)
            {
                config.DynamicBatching = new() { MaxQueueDelayMicroseconds = 1000UL * (ulong)schema.BatchWindowMilliseconds };
            }
        }

        if (schema.IsStreamingOutput)
        {
            config.ModelTransactionPolicy ??= new() { Decoupled = true };
        }
    }

    /// <summary>The schema's warnings, and what of it has no effect on a model whose files say it themselves.</summary>
    public static IEnumerable<string> Warnings(InputSchema schema, bool isFilled)
        => isFilled || (schema.BatchSize == 0 && !schema.IsStreamingOutput)
            ? schema.Warnings
            : [.. schema.Warnings, $"{schema.Source}: BATCH_SIZE and IS_STREAMING_OUTPUT have no effect here; the model's config.pbtxt has max_batch_size, dynamic_batching and model_transaction_policy"];

    /// <summary>The schema may restrict the model's inputs, but must name the same ones.</summary>
    /// <exception cref="ModelConfigException">No request could satisfy both.</exception>
    public static void Check(ModelConfig config, InputSchema schema)
    {
        foreach (var input in schema.Inputs)
        {
            var known = RequestCheck.Find(config.Inputs, input.Name)
                ?? throw Fault(config, schema, $"input '{input.Name}' is none of the model's, which are {string.Join(", ", config.Inputs.Select(known => $"'{known.Name}'"))}");
            if (known.Type != input.Type)
            {
                throw Fault(config, schema, $"input '{input.Name}' is {input.TypeName}, but the model takes {known.Type.Name()}");
            }
        }

        var missing = config.Inputs.FirstOrDefault(known => !known.Optional && schema.Inputs.All(input => input.Name != known.Name));
        if (missing is not null)
        {
            throw Fault(config, schema, $"input '{missing.Name}' of the model is missing, so that no request could be served");
        }
    }

    private static ModelConfigException Fault(ModelConfig config, InputSchema schema, string fault) => new($"model '{config.Name}', {schema.Source}: {fault}");
}
