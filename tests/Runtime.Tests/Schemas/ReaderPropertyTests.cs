using FsCheck.Fluent;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Schemas;

public class ReaderPropertyTests
{
    [Fact]
    public void PythonReader_PrintedLiteral_IsReadBack() => PropertyChecks.ForAll(LiteralGenerator.Literals.Zip(Gen.Choose(0, int.MaxValue), (literal, seed) => (literal, seed)), drawn =>
    {
        var text = new PythonPrinter(new Random(drawn.seed)).Print(drawn.literal);

        Assert.Equal(SchemaTexts.Show(drawn.literal), SchemaTexts.Show(SchemaTexts.Literal(text)));
    });

    [Fact]
    public void PythonReader_AnyText_ThrowsItsOwnExceptionAlone() => PropertyChecks.ForAll(LiteralGenerator.Texts, text =>
    {
        OnlyOwn(() => SchemaTexts.Python(text));
        OnlyOwn(() => SchemaTexts.Python("INPUT_SCHEMA = {'x': " + text));
        OnlyOwn(() => SchemaTexts.Python("X = " + text));
    });

    [Fact]
    public void JsonReader_AnyText_ThrowsItsOwnExceptionAlone() => PropertyChecks.ForAll(LiteralGenerator.Texts, text =>
    {
        OnlyOwn(() => SchemaTexts.Json(text));
        OnlyOwn(() => SchemaTexts.Json("{\"INPUT_SCHEMA\": {\"x\": " + text.Replace('\'', '"') + "}}"));
    });

    [Fact]
    public void Readers_BrokenSchema_GiveAPlace() => PropertyChecks.ForAll(Gen.Choose(0, Sample.Length - 1).Zip(LiteralGenerator.Texts), change =>
    {
        var (at, text) = change;
        var broken = Sample[..at] + text + Sample[(at + 1)..];

        OnlyOwn(() => SchemaTexts.Python(broken), message => Assert.Matches("""^input_schema\.py:(\d+:\d+:)? """, message));
    });

    private const string Sample = "INPUT_SCHEMA = {'x': {'datatype': \"INT8\", 'shape': [-1, 2], 'required': True, 'example': [1, 2]}}\nBATCH_SIZE = 4\n";

    private static void OnlyOwn(Action read, Action<string>? inspect = null)
    {
        try
        {
            read();
        }
        catch (ModelConfigException exception)
        {
            inspect?.Invoke(exception.Message);
        }
    }
}
