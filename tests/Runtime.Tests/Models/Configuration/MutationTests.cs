using System.Text;
using System.Text.Json;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Models.Configuration;

/// <summary>Whatever is done to a valid text, it is read or refused, never anything else.</summary>
public sealed class MutationTests
{
    private const string Alphabet = "\0\t\n \"'\\#{}[]<>:,;-.019aefxukéE\ud83d\uFEFF";

    private static readonly string Json = Write(ModelConfigText.Parse(ConfigTexts.Everything, "f"));

    [Fact]
    public void Parse_TruncatedText_IsReadOrRefused() => Assert.True(Refusals(Truncations(ConfigTexts.Everything), ParseText) > 100);

    [Fact]
    public void Parse_MutatedText_IsReadOrRefused() => Assert.True(Refusals(Mutations(ConfigTexts.Everything), ParseText) > 1000);

    [Fact]
    public void Parse_TruncatedJson_IsAlwaysRefused() => Assert.Equal(Json.Length, Refusals(Truncations(Json), ParseJson));

    [Fact]
    public void Parse_MutatedJson_IsReadOrRefused() => Assert.True(Refusals(Mutations(Json, step: 7), ParseJson) > 500);

    [Fact]
    public void Parse_DeepNesting_IsRefused()
    {
        var text = string.Concat(Enumerable.Repeat("input { ", 200_000));
        Assert.Equal(2, Refusals([text, string.Concat(Enumerable.Repeat("[", 200_000))], ParseText));
        Assert.Equal(2, Refusals([string.Concat(Enumerable.Repeat("{\"input\":[", 200_000)), new string('[', 200_000)], ParseJson));
    }

    private static void ParseText(string text) => ModelConfigText.Parse(text, "f");

    private static void ParseJson(string text) => ModelConfigJson.Parse(text, "f");

    private static int Refusals(IEnumerable<string> texts, Action<string> parse)
    {
        var refusals = 0;
        foreach (var text in texts)
        {
            try
            {
                parse(text);
            }
            catch (ModelConfigException)
            {
                refusals++;
            }
        }

        return refusals;
    }

    private static IEnumerable<string> Truncations(string text) => Enumerable.Range(0, text.Length).Select(length => text[..length]);

    private static IEnumerable<string> Mutations(string text, int step = 2)
    {
        for (var position = 0; position < text.Length; position += step)
        {
            yield return text.Remove(position, 1);
            for (var i = 0; i < 4; i++)
            {
                // A step that shares no factor with the alphabet's length visits all of it.
                var replacement = Alphabet[((position / step * 7) + (i * 11)) % Alphabet.Length];
                yield return text.Remove(position, 1).Insert(position, replacement.ToString());
            }
        }
    }

    private static string Write(Protocol.ModelConfig config)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            ModelConfigJson.Write(config, writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
