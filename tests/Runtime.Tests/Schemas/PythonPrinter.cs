using System.Globalization;
using System.Numerics;
using System.Text;
using Runtime.Schemas;

namespace Runtime.Tests.Schemas;

/// <summary>Writes literals as Python, each time in another of the ways that Python allows.</summary>
internal sealed class PythonPrinter(Random random)
{
    private static readonly string[] Gaps = ["", "", "", " ", "\t", "\n", "\r\n", " # it's a comment ]}\n", "\\\n"];

    public string Print(Literal literal) => literal switch
    {
        NoneLiteral => "None",
        BoolLiteral { Value: var value } => value ? "True" : "False",
        IntegerLiteral { Value: var value } => Integer(value),
        FloatLiteral { Value: var value } => Float(value),
        TextLiteral { Value: var value } => Text(value),
        BytesLiteral { Value: var value } => "b'" + string.Concat(value.Select(octet => $"\\x{octet:x2}")) + "'",
        ListLiteral { Items: var items } => List(items),
        MapLiteral { Entries: var entries } => "{" + Gap() + Joined(entries.Select(entry => Print(entry.Key) + Gap() + ":" + Gap() + Print(entry.Value)), entries.Count > 0) + "}",
        _ => throw new ArgumentOutOfRangeException(nameof(literal)),
    };

    private string Gap() => Gaps[random.Next(Gaps.Length)];

    private string List(IReadOnlyList<Literal> items) => random.Next(2) == 0
        ? "[" + Gap() + Joined(items.Select(Print), items.Count > 0) + "]"
        : "(" + Gap() + (items.Count == 1 ? Print(items[0]) + ",)" : Joined(items.Select(Print), items.Count > 0) + ")");

    private string Joined(IEnumerable<string> parts, bool mayTrail)
        => string.Join("," + Gap(), parts.Select(part => part + Gap())) + (mayTrail && random.Next(2) == 0 ? "," + Gap() : "");

    private string Integer(BigInteger value)
    {
        var sign = value.Sign < 0 ? "-" : random.Next(8) == 0 ? "+" : "";
        var size = BigInteger.Abs(value);
        return sign + random.Next(3) switch
        {
            0 => "0x" + size.ToString("X", CultureInfo.InvariantCulture),
            1 => string.Join('_', size.ToString(CultureInfo.InvariantCulture).ToCharArray()),
            _ => size.ToString(CultureInfo.InvariantCulture),
        };
    }

    private static string Float(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) || text.Contains('E', StringComparison.Ordinal) ? text : text + ".0";
    }

    private string Text(string value)
    {
        // Cut in two, which Python joins again; never between the halves of a pair.
        var cut = random.Next(value.Length + 1);
        return cut > 0 && cut < value.Length && !char.IsLowSurrogate(value[cut]) ? Quoted(value[..cut]) + " " + Quoted(value[cut..]) : Quoted(value);
    }

    private string Quoted(string value)
    {
        string[] quotes = ["'", "\"", "'''", "\"\"\""];
        var quote = quotes[random.Next(quotes.Length)];
        var text = new StringBuilder();
        foreach (var character in value)
        {
            text.Append(character switch
            {
                '\\' or '\'' or '"' => $"\\{character}",
                '\n' when quote.Length == 3 => "\n",
                < ' ' or '\x7F' => $"\\x{(int)character:x2}",
                > '~' when !char.IsSurrogate(character) && random.Next(2) == 0 => $"\\u{(int)character:X4}",
                _ => character.ToString(),
            });
        }

        return quote + text + quote;
    }
}
