using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Runtime.Schemas;

namespace Runtime.Tests.Schemas;

/// <summary>Generates literals, and texts that look like Python.</summary>
internal static class LiteralGenerator
{
    private static readonly string[] Fragments =
    [
        "INPUT_SCHEMA", "BATCH_SIZE", "=", "==", "{", "}", "[", "]", "(", ")", ",", ":", ";", "\n", "\r", " ", "\\", "\\\n", "'", "\"", "'''", "\"\"\"", "#", "-", "+",
        "*", ".", "1", "0x", "9e", "_", "1_0", "1e5", "True", "None", "import", "from", "if", "def", "f'", "b'", "r\"", "rb", "\\x4", "\\u12", "\\N{", "\\777", "'datatype'",
        "'shape'", "'required'", "'example'", "'STRING'", "'INT8'", "-1", "😀", "\ud800", "\0", "\uFEFF", "é", "lambda", "pass", "@", "$", "1j", "x", "\t",
    ];

    public static Gen<Literal> Literals { get; } = Gen.Sized(size => Nested(Math.Min(size / 10, 4)));

    /// <summary>Python's tokens, whole and broken, in any order.</summary>
    public static Gen<string> Texts { get; } = Gen.Elements(Fragments).ListOf().Select(string.Concat);

    public static Gen<string> Strings { get; } = Gen.Elements("a", "B", " ", "'", "\"", "\\", "\n", "\t", "\0", "#", "{", "é", "\u2028", "😀", "\\x41", "\r").ListOf().Select(string.Concat);

    private static SourcePlace Nowhere => default;

    private static Gen<Literal> Scalar { get; } = Gen.OneOf(
        Gen.Constant((Literal)new NoneLiteral(Nowhere)),
        Gen.Elements(true, false).Select(value => (Literal)new BoolLiteral(Nowhere, value)),
        Gen.Choose(-100_000, 100_000).Select(value => (Literal)new IntegerLiteral(Nowhere, value)),
        Gen.Choose(1, 300).Select(bits => (Literal)new IntegerLiteral(Nowhere, (BigInteger.One << bits) - 1)),
        Gen.Choose(-1_000_000, 1_000_000).Zip(Gen.Choose(-290, 290), (value, exponent) => (Literal)new FloatLiteral(Nowhere, value * Math.Pow(10, exponent))),
        Strings.Select(value => (Literal)new TextLiteral(Nowhere, value)),
        Gen.Choose(0, 255).ListOf().Select(octets => (Literal)new BytesLiteral(Nowhere, [.. octets.Select(octet => (byte)octet)])));

    private static Gen<Literal> Nested(int depth) => depth == 0
        ? Scalar
        : Gen.OneOf(
            Scalar,
            Nested(depth - 1).ListOf().Resize(4).Select(items => (Literal)new ListLiteral(Nowhere, [.. items])),
            Scalar.Zip(Nested(depth - 1), KeyValuePair.Create).ListOf().Resize(4).Select(entries => (Literal)new MapLiteral(Nowhere, [.. entries])));
}
