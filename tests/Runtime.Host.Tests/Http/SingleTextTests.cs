using System.Globalization;
using System.Text;
using Runtime.Host.Http;

namespace Runtime.Host.Tests.Http;

public sealed class SingleTextTests
{
    [Theory]
    [InlineData(0f, "0.0")]
    [InlineData(-0f, "-0.0")]
    [InlineData(1f, "1.0")]
    [InlineData(-12.5f, "-12.5")]
    [InlineData(0.1f, "0.1")]
    [InlineData(100f, "100.0")]
    [InlineData(123456789f, "123456790.0")]
    [InlineData(16777216f, "16777216.0")]
    [InlineData(1e10f, "1e10")]
    [InlineData(1.5e-5f, "0.000015")]
    [InlineData(1.5e-6f, "1.5e-6")]
    [InlineData(float.MaxValue, "3.4028235e38")]
    [InlineData(float.Epsilon, "1e-45")]
    [InlineData(1.1754944e-38f, "1.1754944e-38")]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void Write_Value_IsShortest(float value, string expected) => Assert.Equal(expected, Write(value));

    [Fact]
    public void Write_EveryPowerOfTwoAndRandomFloats_ReadsBackAndIsAsShortAsTheFrameworks()
    {
        var random = new Random(3);
        for (var i = 0; i < 600_000; i++)
        {
            var bits = i < 3 * 255 ? (uint)((i / 3) << 23) + (uint)(i % 3) - 1 : (uint)random.NextInt64(0, 0x7F800000);
            var value = BitConverter.UInt32BitsToSingle(bits);
            if (!float.IsFinite(value))
            {
                continue;
            }

            var text = Write(value);
            Assert.True(BitConverter.SingleToUInt32Bits(float.Parse(text, CultureInfo.InvariantCulture)) == bits, text);
            Assert.True(Digits(text) <= Digits(value.ToString("R", CultureInfo.InvariantCulture)), text);
            var position = 0;
            Assert.Equal(ElementFault.None, SingleReader.Read(Encoding.ASCII.GetBytes(text), ref position, out var read));
            Assert.True(read.Equals(value) && position == text.Length, text);
        }
    }

    private static int Digits(string text)
    {
        var mantissa = text.Split('e', 'E')[0].Replace(".", "", StringComparison.Ordinal).Trim('-');
        return mantissa.Trim('0').Length;
    }

    private static string Write(float value)
    {
        var target = new byte[SingleText.Room];
        var length = SingleText.Write(value, target);
        Assert.InRange(length, 1, SingleText.MaxLength);
        return Encoding.ASCII.GetString(target, 0, length);
    }
}
