/// <summary>What a request asks for.</summary>
internal sealed class Settings
{
    private const int MostTokens = 100_000;

    public required string Prompt { get; init; }

    public required int MaxTokens { get; init; }

    /// <summary>0 always takes the likeliest character.</summary>
    public required float Temperature { get; init; }

    /// <summary>How many of the likeliest characters are drawn from; 0 for all.</summary>
    public required int TopK { get; init; }

    /// <summary>Texts that end the answer, and are no part of it.</summary>
    public required string[] Stop { get; init; }

    /// <summary>Draws the same characters for the same seed.</summary>
    public required Random Random { get; init; }

    /// <summary>Whether a stop text ended the answer.</summary>
    public bool IsStopped { get; set; }

    public static Settings Read(Inputs inputs)
    {
        var settings = new Settings
        {
            Prompt = inputs.Get<string>("prompt"),
            MaxTokens = inputs.Get("max_tokens", 200),
            Temperature = inputs.Get("temperature", 0.6f),
            TopK = inputs.Get("top_k", 0),
            Stop = inputs.TryGetArray<string>("stop", out var stop) ? stop : [],
            Random = inputs.TryGet<long>("seed", out var seed) ? new Random(HashOf(seed)) : new Random(),
        };
        Require(settings.Prompt.Length > 0, "'prompt' is empty");
        Require(settings.MaxTokens is > 0 and <= MostTokens, $"'max_tokens' must be from 1 to {MostTokens}, got {settings.MaxTokens}");
        Require(settings.Temperature is >= 0 and <= 100, $"'temperature' must be from 0 to 100, got {settings.Temperature}");
        Require(settings.TopK >= 0, $"'top_k' must be 0 or more, got {settings.TopK}");
        Require(settings.Stop.All(text => text.Length > 0), "'stop' has an empty text");
        return settings;
    }

    private static int HashOf(long seed) => (int)(seed ^ (seed >> 32));

    private static void Require(bool holds, string fault)
    {
        if (!holds)
        {
            throw new FunctionException("input " + fault);
        }
    }
}
