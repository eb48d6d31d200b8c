using System.Globalization;
using FieldType = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Runtime.Models.Configuration;

/// <summary>Reads any message in the protobuf text format, strictly: what is unknown, set twice or out of range is an error.</summary>
internal sealed class TextFormatReader(TextScanner scanner)
{
    private const int DeepestNesting = 100;

    private int _depth;

    /// <summary>Reads fields to the end of the text.</summary>
    public void ReadAll(FieldTarget target)
    {
        while (scanner.Current.Kind != TextTokenKind.End)
        {
            ReadField(target);
        }
    }

    private void ReadField(FieldTarget target)
    {
        var token = scanner.Current;
        if (token.Kind != TextTokenKind.Identifier)
        {
            throw scanner.Error(token, $"expected the name of a field of {target.Type.Name}, got {token}");
        }

        scanner.Take();
        var field = target.Type.Find(token.Text) ?? throw scanner.Error(
            token,
            $"unknown field '{token.Text}' in {target.Type.Name}" + Suggestion.For(token.Text, target.Type.Fields.Select(known => known.Name)));
        if (target.Claim(field) is { } refusal)
        {
            throw scanner.Error(token, refusal);
        }

        if (!scanner.TryTake(':') && field.Type != FieldType.Message)
        {
            throw scanner.Error(scanner.Current, $"expected ':' after '{field.Name}', got {scanner.Current}");
        }

        ReadValues(target, field);
        _ = scanner.TryTake(',') || scanner.TryTake(';');
    }

    private void ReadValues(FieldTarget target, ConfigField field)
    {
        var open = scanner.Current;
        if (!scanner.TryTake('['))
        {
            ReadValue(target, field);
            return;
        }

        if (!field.IsRepeated)
        {
            throw scanner.Error(open, $"'{field.Name}' takes one value, not a list");
        }

        if (scanner.TryTake(']'))
        {
            return;
        }

        do
        {
            ReadValue(target, field);
        }
        while (scanner.TryTake(','));

        if (!scanner.TryTake(']'))
        {
            throw scanner.Error(scanner.Current, $"expected ',' or ']' in the list of '{field.Name}' from line {open.Line}, got {scanner.Current}");
        }
    }

    private void ReadValue(FieldTarget target, ConfigField field)
    {
        var start = scanner.Current;
        var value = field.Type == FieldType.Message ? ReadMessage(field) : ReadScalar(field);
        if (target.Store(field, value) is { } refusal)
        {
            throw scanner.Error(start, refusal);
        }
    }

    private FieldTarget ReadMessage(ConfigField field)
    {
        var open = scanner.Take();
        var close = open.IsSymbol('{') ? '}' : open.IsSymbol('<') ? '>' : throw scanner.Error(open, $"expected '{{' after '{field.Name}', got {open}");
        if (++_depth > DeepestNesting)
        {
            throw scanner.Error(open, $"'{field.Name}' is nested more than {DeepestNesting} deep");
        }

        var message = new FieldTarget(field.Message);
        while (!scanner.TryTake(close))
        {
            if (scanner.Current.Kind == TextTokenKind.End)
            {
                throw scanner.Error(scanner.Current, $"expected '{close}' for '{field.Name}' from line {open.Line}, got the end of the file");
            }

            ReadField(message);
        }

        _depth--;
        return message;
    }

    private object ReadScalar(ConfigField field)
    {
        var start = scanner.Current;
        if (field.Type == FieldType.String)
        {
            return start.Kind == TextTokenKind.String ? scanner.Take().Text : throw Unexpected(field, start, "a string in quotes");
        }

        var isNegative = scanner.TryTake('-');
        var token = scanner.Current;
        var value = field.Type switch
        {
            FieldType.Enum => ReadEnum(field, token, isNegative),
            FieldType.Bool => isNegative ? null : ReadBool(token),
            FieldType.Float or FieldType.Double => ReadFloating(field, token, isNegative),
            _ => ReadInteger(field, token, isNegative),
        };
        if (value is null)
        {
            throw Unexpected(field, isNegative ? token with { Text = "-" + token.Text } : token, Expectation(field));
        }

        scanner.Take();
        return value;
    }

    private static string Expectation(ConfigField field) => field.Type switch
    {
        FieldType.Enum => $"one of {string.Join(", ", field.Enum.Names)}",
        FieldType.Bool => "true or false",
        FieldType.Float or FieldType.Double => "a number",
        _ => "an integer",
    };

    private ModelConfigException Unexpected(ConfigField field, TextToken token, string expected) =>
        scanner.Error(token, $"'{field.Name}' expects {expected}, got {token}");

    private object? ReadEnum(ConfigField field, TextToken token, bool isNegative)
    {
        if (token.Kind == TextTokenKind.Number && FieldValues.TryParseInteger(token.Text, out var number))
        {
            return FieldValues.EnumByNumber(field, isNegative ? -number : number);
        }

        if (token.Kind != TextTokenKind.Identifier || isNegative)
        {
            return null;
        }

        return FieldValues.EnumByName(field, token.Text) ?? throw scanner.Error(
            token,
            $"'{field.Name}' has no value '{token.Text}'" + Suggestion.For(token.Text, field.Enum.Names));
    }

    private static object? ReadBool(TextToken token) => token switch
    {
        { Kind: TextTokenKind.Identifier, Text: "true" or "True" or "t" } => true,
        { Kind: TextTokenKind.Identifier, Text: "false" or "False" or "f" } => false,
        { Kind: TextTokenKind.Number } when FieldValues.TryParseInteger(token.Text, out var number) && number <= 1 => number == 1,
        _ => null,
    };

    private static object? ReadFloating(ConfigField field, TextToken token, bool isNegative)
    {
        double value;
        if (token.Kind == TextTokenKind.Number)
        {
            var digits = token.Text[^1] is 'f' or 'F' ? token.Text[..^1] : token.Text;
            if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value))
            {
                return null;
            }
        }
        else if (token.Kind == TextTokenKind.Identifier && token.Text.ToUpperInvariant() is "INF" or "INFINITY" or "NAN")
        {
            value = token.Text.StartsWith("n", StringComparison.OrdinalIgnoreCase) ? double.NaN : double.PositiveInfinity;
        }
        else
        {
            return null;
        }

        return FieldValues.Floating(field, isNegative ? -value : value);
    }

    private object? ReadInteger(ConfigField field, TextToken token, bool isNegative)
    {
        if (token.Kind != TextTokenKind.Number || !FieldValues.TryParseInteger(token.Text, out var number))
        {
            return null;
        }

        return FieldValues.Integer(field, isNegative ? -number : number, out var range)
            ?? throw scanner.Error(token, $"'{field.Name}' takes {range}, got {(isNegative ? "-" : "")}{token.Text}");
    }
}
