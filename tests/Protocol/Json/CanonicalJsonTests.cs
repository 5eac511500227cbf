using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using OpenWop.Micro.Protocol.Json;

namespace OpenWop.Micro.Protocol.Tests.Json;

public sealed class CanonicalJsonTests
{
    /// <summary>Appendix B of RFC 8785: doubles by their bits.</summary>
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Numbers_are_printed_as_the_appendix_has_them(ulong bits, string expected) =>
        Assert.Equal(expected, CanonicalJson.FormatNumber(BitConverter.UInt64BitsToDouble(bits)));

    [Theory]
    [InlineData("56.0", "56")]
    [InlineData("1E30", "1e+30")]
    [InlineData("4.50", "4.5")]
    [InlineData("2e-3", "0.002")]
    [InlineData("0.000000000000000000000000001", "1e-27")]
    [InlineData("-0", "0")]
    [InlineData("10", "10")]
    [InlineData("123456789012345678901", "123456789012345680000")]
    public void Spellings_of_a_number_become_one(string number, string expected) => Assert.Equal(expected, Canonical(number));

    [Fact]
    public void The_example_of_the_rfc_comes_out_byte_for_byte()
    {
        const string Input = """
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """;

        Assert.Equal(
            """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""",
            Canonical(Input));
    }

    [Fact]
    public void Members_are_sorted_by_their_utf16_units()
    {
        const string Input = """
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
             "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """;

        Assert.Equal(
            ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"],
            Fixtures.Json(Canonical(Input)).EnumerateObject().Select(member => member.Value.GetString()));
    }

    [Theory]
    [InlineData("""{"a":1,"a":1}""")]
    [InlineData("""{"a":1,"\u0061":2}""")]
    [InlineData("""[{"x":{"b":1,"b":2}}]""")]
    [InlineData("1e400")]
    [InlineData("""["\ud800"]""")]
    [InlineData("""{"\udc00":1}""")]
    public void What_has_no_canonical_form_is_refused(string json) => Assert.Throws<JsonException>(() => Canonical(json));

    [Fact]
    public void Text_is_not_normalized() => Assert.NotEqual(Canonical("\"\u00e9\""), Canonical("\"e\u0301\""));

    [Fact]
    public void The_digest_is_sha256_of_the_form() =>
        Assert.Equal(
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            Convert.ToHexStringLower(CanonicalJson.Digest(Fixtures.Json(" { } "))));

    [Fact]
    public void Every_double_is_printed_so_that_it_reads_back_the_same() =>
        Gen.ULong.Select(BitConverter.UInt64BitsToDouble).Where(double.IsFinite).Sample(number =>
        {
            var text = CanonicalJson.FormatNumber(number);
            return double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture).Equals(number == 0 ? 0 : number) && !text.Contains('E', StringComparison.Ordinal);
        });

    [Fact]
    public void The_form_of_a_form_is_itself() => JsonTexts.Any.Sample(json => Canonical(Canonical(json)) == Canonical(json));

    [Fact]
    public void Order_and_spelling_make_no_difference() => JsonTexts.Any.Sample(json =>
        Canonical(JsonTexts.Respell(Fixtures.Json(json))) == Canonical(json));

    private static string Canonical(string json) => Encoding.UTF8.GetString(CanonicalJson.ToUtf8Bytes(Fixtures.Json(json)));
}
