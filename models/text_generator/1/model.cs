using System.Runtime.CompilerServices;
using System.Text.Json;

/// <summary>Continues a text with the model char_gpt, whose attention cache it carries from one character to the next.</summary>
public sealed class TextGenerator : Function
{
    private const string Model = "char_gpt";
    private char[] _characters = [];

    public override async ValueTask InitializeAsync(FunctionContext context)
    {
        await using var file = File.OpenRead(Path.Combine(context.VersionDirectory, "vocab.json"));
        var names = await JsonSerializer.DeserializeAsync<string[]>(file);
        _characters = [.. names!.Select(name => name[0])];
    }

    public override async ValueTask<Outputs> InferAsync(Inputs inputs, FunctionRequest request)
    {
        var settings = Settings.Read(inputs);
        var text = new System.Text.StringBuilder();
        await foreach (var piece in GenerateAsync(settings, request.Cancellation))
        {
            text.Append(piece);
        }

        return new Outputs { ["text"] = text.ToString(), ["finish_reason"] = settings.IsStopped ? "stop" : "length" };
    }

    public override async IAsyncEnumerable<Outputs> StreamAsync(Inputs inputs, FunctionRequest request)
    {
        await foreach (var piece in GenerateAsync(Settings.Read(inputs), request.Cancellation))
        {
            yield return new() { ["text"] = piece };
        }
    }

    private async IAsyncEnumerable<string> GenerateAsync(Settings settings, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var tokens = Tokens(settings.Prompt);
        var cache = new AttentionCache();
        var ending = new StopText(settings.Stop);
        ModelOutputs? last = null;
        try
        {
            for (var i = 0; i < settings.MaxTokens && !ending.IsFound; i++)
            {
                // The cache shows the last answer's memory, so that is kept until this one is there.
                var outputs = await Context.Models.InferAsync(
                    Model, new() { ["tokens"] = TensorValue.Create(tokens, 1, tokens.Length), ["past_key_values"] = cache.Value }, cancellation: cancellation);
                last?.Dispose();
                last = outputs;
                cache.Value = AttentionCache.Newest(outputs.GetTensor("present_key_values"));
                var next = Sampler.Pick(outputs.GetTensor("logits").AsSpan<float>()[^_characters.Length..], settings);
                tokens = [next];
                if (ending.Add(_characters[next]) is { Length: > 0 } piece)
                {
                    yield return piece;
                }
            }
        }
        finally
        {
            last?.Dispose();
        }

        settings.IsStopped = ending.IsFound;
        if (ending.Rest is { Length: > 0 } rest)
        {
            yield return rest;
        }
    }

    /// <summary>The model looks back no further than its window, so neither does this.</summary>
    private long[] Tokens(string prompt)
    {
        var unknown = string.Concat(prompt.Distinct().Where(character => !_characters.Contains(character)));
        if (unknown.Length > 0)
        {
            throw new FunctionException($"input 'prompt' has characters that the model does not know: {JsonSerializer.Serialize(unknown)}");
        }

        return [.. prompt[Math.Max(0, prompt.Length - AttentionCache.Window)..].Select(character => (long)Array.IndexOf(_characters, character))];
    }
}
