using System.Globalization;
using System.Text;
using Runtime.Host.Http;

namespace Runtime.Host.Tests.Http;

public sealed class DecimalTextTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0")]
    [InlineData("1")]
    [InlineData("0.1")]
    [InlineData("0.10000000149011612")]
    [InlineData("9007199254740993")]
    [InlineData("9007199254740993e1")]
    [InlineData("123456789012345678")]
    [InlineData("12345678901234567890123")]
    [InlineData("1e22")]
    [InlineData("1e23")]
    [InlineData("8.5e+37")]
    [InlineData("5e-324")]
    [InlineData("2.2250738585072011e-308")]
    [InlineData("1.7976931348623157E308")]
    [InlineData("1e-400")]
    [InlineData("0e999999999999")]
    public void TryRead_Number_IsNearestDouble(string text)
    {
        Assert.Equal(ElementFault.None, Read(text, out var value, out var position));
        Assert.Equal(text.Length, position);
        Assert.Equal(BitConverter.DoubleToInt64Bits(double.Parse(text, CultureInfo.InvariantCulture)), BitConverter.DoubleToInt64Bits(value));
    }

    [Theory]
    [InlineData("NaN", double.NaN)]
    [InlineData("Infinity", double.PositiveInfinity)]
    [InlineData("-Infinity", double.NegativeInfinity)]
    public void TryRead_BareWord_IsRead(string text, double expected)
    {
        Assert.Equal(ElementFault.None, Read(text, out var value, out var position));
        Assert.Equal(text.Length, position);
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("01", nameof(ElementFault.Syntax))]
    [InlineData("1.", nameof(ElementFault.Syntax))]
    [InlineData("1e", nameof(ElementFault.Syntax))]
    [InlineData("1e+", nameof(ElementFault.Syntax))]
    [InlineData(".5", nameof(ElementFault.WrongKind))]
    [InlineData("+1", nameof(ElementFault.WrongKind))]
    [InlineData("-", nameof(ElementFault.WrongKind))]
    [InlineData("-NaN", nameof(ElementFault.WrongKind))]
    [InlineData("nan", nameof(ElementFault.WrongKind))]
    [InlineData("\"1\"", nameof(ElementFault.WrongKind))]
    [InlineData("", nameof(ElementFault.WrongKind))]
    [InlineData("1e309", nameof(ElementFault.OutOfRange))]
    public void TryRead_OtherText_IsRefused(string text, string expected) => Assert.Equal(expected, Read(text, out _, out _).ToString());

    [Fact]
    public void TryRead_RandomDoublesAndFloats_EveryBitIsKept()
    {
        var random = new Random(7);
        for (var i = 0; i < 200_000; i++)
        {
            var value = (i % 3) switch
            {
                0 => BitConverter.Int64BitsToDouble(random.NextInt64()),
                1 => BitConverter.Int32BitsToSingle(random.Next()),
                _ => random.NextInt64() * Math.Pow(10, random.Next(-40, 40)),
            };
            if (!double.IsFinite(value))
            {
                continue;
            }

            var text = value.ToString("R", CultureInfo.InvariantCulture);
            Assert.Equal(ElementFault.None, Read(text, out var read, out _));
            Assert.True(BitConverter.DoubleToInt64Bits(value) == BitConverter.DoubleToInt64Bits(read), text);
        }
    }

    [Fact]
    public void TryRead_RandomDigits_AgreesWithFramework()
    {
        var random = new Random(11);
        for (var i = 0; i < 200_000; i++)
        {
            var text = $"{random.NextInt64(1, long.MaxValue) / (long)Math.Pow(10, random.Next(0, 18))}e{random.Next(-90, 90)}";
            Assert.Equal(ElementFault.None, Read(text, out var read, out _));
            Assert.True(double.Parse(text, CultureInfo.InvariantCulture) == read, text);
        }
    }

    private static ElementFault Read(string text, out double value, out int position)
    {
        position = 0;
        return DecimalText.TryRead(Encoding.ASCII.GetBytes(text), ref position, out value);
    }
}
