using System.Globalization;
using Runtime.Models.Configuration;

namespace Runtime.Tests.Schemas;

public class PythonLiteralTests
{
    [Theory]
    [InlineData("None", "None")]
    [InlineData("(True)", "True")]
    [InlineData("(True,)", "[True]")]
    [InlineData("()", "[]")]
    [InlineData("(1, 2)", "[1,2]")]
    [InlineData("[1, 'a', [2,],]", "[1,'a',[2]]")]
    [InlineData("{}", "{}")]
    [InlineData("{1: 2, 'a': {'b': ()},}", "{1:2,'a':{'b':[]}}")]
    [InlineData("- 5", "-5")]
    [InlineData("+0xFF_ff", "65535")]
    [InlineData("-0b1_01", "-5")]
    [InlineData("0o777", "511")]
    [InlineData("0x_f", "15")]
    [InlineData("00_0", "0")]
    [InlineData("1_000.5", "f1000.5")]
    [InlineData("1.", "f1")]
    [InlineData("-.5e+1_0", "f-5000000000")]
    [InlineData("1E3", "f1000")]
    [InlineData("0777.5", "f777.5")]
    [InlineData("1e-400", "f0")]
    [InlineData("'it\\'s' \" \\\"ok\\\"\"", "'it's \"ok\"'")]
    [InlineData("'''a 'b' \"\"\n c'''", "'a 'b' \"\"\n c'")]
    [InlineData("\"\"\"a\\\nb\"\"\"", "'ab'")]
    [InlineData("''", "''")]
    [InlineData("'a' # one\n", "'a'")]
    [InlineData("('a' # one\n  'b')", "'ab'")]
    [InlineData("r'\\d\\'' U'\\u00e9'", "'\\d\\'é'")]
    [InlineData("'\\x41\\101\\0\\U0001F600\\q\\t'", "'AA\0😀\\q\t'")]
    [InlineData("'\\ud83d\\ude00'", "'😀'")]
    [InlineData("b'\\x00\\377a' Rb'\\x'", "b00FF615C78")]
    [InlineData("'naïve 😀'", "'naïve 😀'")]
    [InlineData("'''a\r\nb\rc'''", "'a\nb\nc'")]
    public void Read_Literal_IsItsValue(string text, string expected) => Assert.Equal(expected, SchemaTexts.Show(SchemaTexts.Literal(text)));

    [Theory]
    [InlineData("x", "1:1: expected a literal, found the name 'x'; code is not executed")]
    [InlineData("[1, foo]", "1:5: expected a literal, found the name 'foo'")]
    [InlineData("__import__('os').system('true')", "1:1: expected a literal, found the name '__import__'")]
    [InlineData("[i for i in range(3)]", "1:2: expected a literal, found the name 'i'")]
    [InlineData("[1 for i in x]", "1:4: expected ',' or ']', found 'for'; code is not executed")]
    [InlineData("{'a': 1 for a in b}", "1:9: expected ',' or '}', found 'for'")]
    [InlineData("{1, 2}", "1:3: expected ':' behind a dictionary's key, found ','")]
    [InlineData("{**x}", "1:2: expected a literal, found '*'")]
    [InlineData("[*x]", "1:2: expected a literal, found '*'")]
    [InlineData("5 * 1000", "1:3: code is not executed: expected the end of the line behind a literal, found '*'")]
    [InlineData("'a' + 'b'", "1:5: code is not executed")]
    [InlineData("'%s' % 1", "1:6: code is not executed")]
    [InlineData("'a'.upper()", "1:4: code is not executed")]
    [InlineData("{}['a']", "1:3: code is not executed")]
    [InlineData("True if x else False", "1:6: code is not executed")]
    [InlineData("not True", "1:1: expected a literal, found the name 'not'")]
    [InlineData("lambda: 1", "1:1: expected a literal, found the name 'lambda'")]
    [InlineData("--1", "1:2: expected a number behind the sign, found '-'")]
    [InlineData("-'a'", "1:2: expected a number behind the sign, found a string")]
    [InlineData("~1", "1:1: expected a literal, found '~'")]
    [InlineData("...", "1:1: expected a literal, found '.'")]
    [InlineData("f'{x}'", "1:1: an f-string is no literal; code is not executed")]
    [InlineData("'a' Rf'{x}'", "1:5: an f-string is no literal")]
    [InlineData("t'a'", "1:1: strings have no prefix 't'")]
    [InlineData("'a' b'b'", "1:5: strings and bytes cannot be joined")]
    [InlineData("b'é'", "1:1: bytes take only ASCII characters")]
    [InlineData("b'\\400'", "1:1: the escape \\400 is more than a byte")]
    [InlineData("'\\xg0'", "1:1: the escape '\\xg0' is no character")]
    [InlineData("'\\U00110000'", "1:1: the escape '\\U00110000' is no character")]
    [InlineData("'\\N{BULLET}'", "1:1: named characters")]
    [InlineData("'\\ud800'", "1:1: the string has half of a surrogate pair")]
    [InlineData("'abc", "1:1: the string is not closed with '")]
    [InlineData("'abc\n'", "1:1: the string is not closed with '")]
    [InlineData("[\n'''abc\n", "2:1: the string is not closed with '''")]
    [InlineData("[1,\n (2", "2:2: '(' is never closed")]
    [InlineData("[1)", "1:3: ')' does not close '[' of line 1")]
    [InlineData("1]", "1:2: ']' closes nothing")]
    [InlineData("[,]", "1:2: expected a literal, found ','")]
    [InlineData("007", "1:1: '007' is not a number: leading zeros are not allowed")]
    [InlineData("1__0", "1:1: '1__0' is not a number")]
    [InlineData("1_", "1:1: '1_' is not a number")]
    [InlineData("0x", "1:1: '0x' is not a number")]
    [InlineData("0b12", "1:1: '0b12' is not a number")]
    [InlineData("1abc", "1:1: '1abc' is not a number")]
    [InlineData("1.2.3", "1:1: '1.2.3' is not a number")]
    [InlineData("2j", "1:1: complex numbers such as '2j' are no schema values")]
    [InlineData("1e999", "1:1: the number 1e999 is too large")]
    [InlineData("$", "1:1: expected a literal, found '$'")]
    [InlineData("'a'\0", "1:4: unexpected character U+0000")]
    [InlineData("“a”", "1:1: unexpected character U+201C")]
    [InlineData("", "1:1: expected a literal, found the end of the file")]
    public void Read_WhatIsNoLiteral_IsRefusedWithPlace(string text, string expected)
    {
        var message = Assert.Throws<ModelConfigException>(() => SchemaTexts.Literal(text)).Message;

        Assert.StartsWith($"{SchemaTexts.PythonName}:{expected}", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", 64)]
    [InlineData("{1:", 64)]
    [InlineData("(", 100_000)]
    public void Read_DeepNesting_IsRefused(string open, int depth)
    {
        var text = string.Concat(Enumerable.Repeat(open, depth + 1));

        var message = Assert.Throws<ModelConfigException>(() => SchemaTexts.Literal(text)).Message;

        Assert.Equal($"{SchemaTexts.PythonName}:1:{64 * open.Length + 1}: brackets are nested deeper than 64", message);
    }

    [Fact]
    public void Read_DeepestNesting_IsRead() => Assert.Equal(
        new string('[', 64) + new string(']', 64),
        SchemaTexts.Show(SchemaTexts.Literal(new string('[', 64) + new string(']', 64))));

    [Theory]
    [InlineData('9', 1_000_000)]
    [InlineData('-', 1_000_000)]
    [InlineData('+', 1_000_000)]
    public void Read_EndlessNumber_IsRefused(char character, int length)
    {
        var message = Assert.Throws<ModelConfigException>(() => SchemaTexts.Literal(new string(character, length))).Message;

        Assert.True(message.Length < 200, message.Length.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Read_EndlessString_IsRefused() => Assert.Contains(
        "longer than", Assert.Throws<ModelConfigException>(() => SchemaTexts.Literal($"'{new string('a', 600_000)}'")).Message, StringComparison.Ordinal);
}
