using System.Globalization;
using CsCheck;
using OpenWop.Micro.Protocol.Schemas;

namespace OpenWop.Micro.Protocol.Tests.Schemas;

public sealed class JsonNumberTests
{
    private static readonly Gen<decimal> Any = Gen.Select(Gen.Long, Gen.Byte[0, 18]).Select((digits, scale) =>
        new decimal((int)digits, (int)(digits >> 32) & int.MaxValue, 0, digits < 0, scale));

    [Fact]
    public void Numbers_compare_as_their_values_do() => Gen.Select(Any, Any).Sample((left, right) =>
        Math.Sign(Read(left).CompareTo(Read(right))) == Math.Sign(left.CompareTo(right)));

    [Fact]
    public void Divisibility_is_exact() => Gen.Select(Any, Any).Where((_, divisor) => divisor > 0).Sample((value, divisor) =>
        Read(value).IsMultipleOf(Read(divisor)) == (decimal.Remainder(value, divisor) == 0));

    [Fact]
    public void Multiples_are_recognized() => Gen.Select(Gen.Int, Any).Where((_, divisor) => divisor is > 0 and < 1_000_000).Sample((factor, divisor) =>
        Read(factor * divisor).IsMultipleOf(Read(divisor)));

    [Theory]
    [InlineData("1", "1.0", 0)]
    [InlineData("10", "1e1", 0)]
    [InlineData("0", "-0.0e5", 0)]
    [InlineData("1e1000000000000000000000", "2", 1)]
    [InlineData("-1e1000000000", "-2", -1)]
    [InlineData("1e-1000000000", "0", 1)]
    [InlineData("0.1", "0.10000000000000000000000000000000000001", -1)]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567891", -1)]
    public void Spelling_and_size_do_not_matter(string left, string right, int expected)
    {
        Assert.Equal(expected, Math.Sign(Read(left).CompareTo(Read(right))));
        Assert.Equal(-expected, Math.Sign(Read(right).CompareTo(Read(left))));
    }

    [Theory]
    [InlineData("1.0", true)]
    [InlineData("1e2", true)]
    [InlineData("1.5e1", true)]
    [InlineData("1.5", false)]
    [InlineData("1e-1", false)]
    [InlineData("100e-2", true)]
    [InlineData("0e-99999", true)]
    public void Whole_numbers_are_recognized_however_they_are_spelled(string number, bool isInteger) => Assert.Equal(isInteger, Read(number).IsInteger);

    private static JsonNumber Read(decimal number) => Read(number.ToString(CultureInfo.InvariantCulture));

    private static JsonNumber Read(string number)
    {
        Assert.True(JsonNumber.TryRead(Fixtures.Json(number), out var read));
        return read;
    }
}
