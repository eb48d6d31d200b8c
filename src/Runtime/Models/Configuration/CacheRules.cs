namespace Runtime.Models.Configuration;

/// <summary>The rules for <c>response_cache</c>: only what answers equal requests equally can be cached.</summary>
internal static class CacheRules
{
    public static void Check(Protocol.ModelConfig config)
    {
        if (config.ResponseCache is not { Enable: true })
        {
            return;
        }

        if (config.ModelTransactionPolicy is { Decoupled: true })
        {
            throw new ModelConfigException($"model '{config.Name}': 'response_cache' can not serve a decoupled model, whose requests get any number of responses; remove it or set 'enable' to false");
        }

        if (config.SequenceBatching is not null)
        {
            throw new ModelConfigException($"model '{config.Name}': 'response_cache' can not serve 'sequence_batching', where answers depend on earlier requests; remove it or set 'enable' to false");
        }
    }
}
