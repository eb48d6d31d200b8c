using System.Globalization;
using System.Text;
using Runtime.Models.Configuration;
using Runtime.Schemas;
using Runtime.Tensors;

namespace Runtime.Tests.Schemas;

/// <summary>Reads schemas that tests write as text.</summary>
internal static class SchemaTexts
{
    public const string PythonName = "input_schema.py";

    public const string JsonName = "input_schema.json";

    public static InputSchema Python(string text) => PythonSchemaReader.Read(Encoding.UTF8.GetBytes(text), PythonName);

    public static InputSchema Json(string text) => JsonSchemaReader.Read(Encoding.UTF8.GetBytes(text), JsonName);

    public static string PythonError(string text) => Assert.Throws<ModelConfigException>(() => Python(text)).Message;

    public static string JsonError(string text) => Assert.Throws<ModelConfigException>(() => Json(text)).Message;

    /// <summary>A schema of one line that says all: <c>prompt STRING [1] required = a|b</c>.</summary>
    public static IEnumerable<string> Lines(InputSchema schema) => schema.Inputs.Select(input =>
        $"{input.Name} {input.TypeName} {Shapes.Text(input.Shape)} {(input.Required ? "required" : "optional")}"
        + (input.Example is null ? "" : " = " + string.Join("|", input.Example.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value}")))));

    /// <summary>A literal's content without places, told apart by kind.</summary>
    public static string Show(Literal literal) => literal switch
    {
        NoneLiteral => "None",
        BoolLiteral { Value: var value } => value ? "True" : "False",
        IntegerLiteral { Value: var value } => value.ToString(CultureInfo.InvariantCulture),
        FloatLiteral { Value: var value } => $"f{value.ToString("R", CultureInfo.InvariantCulture)}",
        TextLiteral { Value: var value } => $"'{value}'",
        BytesLiteral { Value: var value } => $"b{Convert.ToHexString(value)}",
        ListLiteral { Items: var items } => $"[{string.Join(",", items.Select(Show))}]",
        MapLiteral { Entries: var entries } => $"{{{string.Join(",", entries.Select(entry => $"{Show(entry.Key)}:{Show(entry.Value)}"))}}}",
        _ => throw new ArgumentOutOfRangeException(nameof(literal)),
    };

    /// <summary>Reads a text that is one literal.</summary>
    public static Literal Literal(string text)
    {
        var reader = new PythonLiteralReader(new PythonScanner(text, PythonName));
        var literal = reader.Read();
        reader.ExpectEnd();
        return literal;
    }
}
