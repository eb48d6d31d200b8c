using Runtime.Inference;
using Runtime.Tensors;

namespace Runtime.Backends.Tests.Functions;

/// <summary>The functions of the project's own models.</summary>
public sealed class SampleFunctionTests : PoolTest
{
    private const string Prompt = "And the servant said unto the king, ";

    [Fact]
    public async Task TextGenerator_SameSeed_WritesTheSameText()
    {
        await using var repository = await ServeAsync("char_gpt", "text_generator");

        var first = await GenerateAsync(repository, 7);
        var second = await GenerateAsync(repository, 7);
        var other = await GenerateAsync(repository, 8);

        Assert.Equal(160, first.Length); // more than the model looks back
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public async Task TextGenerator_Stream_IsTheSameTextPieceByPiece()
    {
        await using var repository = await ServeAsync("char_gpt", "text_generator");
        using var request = Request(7);

        var pieces = await repository.StreamAsync("text_generator", request, "text");

        Assert.Equal(160, pieces.Count);
        Assert.Equal(await GenerateAsync(repository, 7), string.Concat(pieces));
    }

    [Fact]
    public async Task TextGenerator_StopText_EndsTheAnswerBeforeIt()
    {
        await using var repository = await ServeAsync("char_gpt", "text_generator");
        var text = await GenerateAsync(repository, 7);
        var stop = text[40..46];
        var expected = text[..text.IndexOf(stop, StringComparison.Ordinal)];
        using var request = Request(7, stop, "\0");
        using var streamed = Request(7, stop);

        Assert.Equal(expected, await repository.AskAsync("text_generator", request, "text"));
        Assert.Equal("stop", await repository.AskAsync("text_generator", request, "finish_reason"));
        Assert.Equal(expected, string.Concat(await repository.StreamAsync("text_generator", streamed, "text")));
    }

    [Fact]
    public async Task TextGenerator_UnknownCharacters_AreNamed()
    {
        await using var repository = await ServeAsync("char_gpt", "text_generator");
        using var request = new InferenceRequest();
        request.Inputs.With("prompt", [1], "8"u8.ToArray());

        Assert.Equal("input 'prompt' has characters that the model does not know: \"8\"", await repository.AskAsync("text_generator", request, "text"));
    }

    [Fact]
    public async Task TextGenerator_WithoutItsModel_SaysSo()
    {
        await using var repository = await ServeAsync("text_generator");

        Assert.StartsWith("function 'text_generator' needs model 'char_gpt', which is not to be had", await GenerateAsync(repository, 1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Echo_Repeats_AreOneTextOrAStream()
    {
        await using var repository = await ServeAsync("echo");
        using var request = new InferenceRequest();
        request.Inputs.With("message", [1], "ab"u8.ToArray());
        request.Inputs.With("repeats", DataType.Int32, [1], 3);

        Assert.Equal("ababab", await repository.AskAsync("echo", request, "message"));
        Assert.Equal(["ab", "ab", "ab"], await repository.StreamAsync("echo", request, "message"));
    }

    private static async Task<FunctionRepository> ServeAsync(params string[] models)
    {
        var repository = new FunctionRepository(FunctionRepository.Samples);
        foreach (var model in models)
        {
            Assert.Equal("", await repository.LoadAsync(model));
        }

        return repository;
    }

    private static async Task<string> GenerateAsync(FunctionRepository repository, long seed)
    {
        using var request = Request(seed);
        return await repository.AskAsync("text_generator", request, "text");
    }

    private static InferenceRequest Request(long seed, params string[] stop)
    {
        var request = new InferenceRequest();
        request.Inputs.With("prompt", [1], System.Text.Encoding.UTF8.GetBytes(Prompt));
        request.Inputs.With("seed", DataType.Int64, [1], seed);
        request.Inputs.With("max_tokens", DataType.Int32, [1], 160);
        if (stop.Length > 0)
        {
            request.Inputs.With("stop", [stop.Length], [.. stop.Select(System.Text.Encoding.UTF8.GetBytes)]);
        }

        return request;
    }
}
