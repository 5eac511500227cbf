using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CsCheck;
using OpenWop.Micro.Webhooks.Inbound.Signatures;
using OpenWop.Micro.Webhooks.Signing;

namespace OpenWop.Micro.Webhooks.Tests.Inbound;

public sealed class SignatureCheckTests
{
    private const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";
    private const long At = 1_531_420_618;

    [Fact]
    public void The_published_example_of_GitHub_is_good() => Assert.True(SignatureCheck.IsGood(
        SignatureScheme.GitHub,
        Headers(("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")),
        "Hello, World!"u8,
        ["It's a Secret to Everybody"],
        DateTimeOffset.UnixEpoch));

    [Fact]
    public void What_we_sign_ourselves_is_good() => Assert.True(IsGood(
        SignatureScheme.OpenWop, ("x-openwop-signature", SignatureV1.Sign(Secret, At, "body"u8)), ("x-openwop-timestamp", Text(At))));

    [Theory]
    [InlineData("v1=$", true)]
    [InlineData("v1=0000000000000000000000000000000000000000000000000000000000000000,v1=$", true)]
    [InlineData("v0=$", false)]
    [InlineData("v1=", false)]
    [InlineData("", false)]
    public void Stripe_may_send_several_signatures_one_of_which_is_right(string signatures, bool isGood) => Assert.Equal(
        isGood,
        IsGood(SignatureScheme.Stripe, ("stripe-signature", $"t={At},{signatures.Replace("$", Hmac($"{At}.body"), StringComparison.Ordinal)}")));

    [Fact]
    public void Slack_signs_version_time_and_body()
    {
        Assert.True(IsGood(SignatureScheme.Slack, ("x-slack-signature", "v0=" + Hmac($"v0:{At}:body")), ("x-slack-request-timestamp", Text(At))));
        Assert.False(IsGood(SignatureScheme.Slack, ("x-slack-signature", "v0=" + Hmac($"{At}.body")), ("x-slack-request-timestamp", Text(At))));
    }

    [Fact]
    public void A_signature_of_another_scheme_is_none()
    {
        (string, string)[] all =
        [
            ("x-openwop-signature", "sha256=" + Hmac($"{At}.body")), ("x-openwop-timestamp", Text(At)),
            ("stripe-signature", $"t={At},v1={Hmac($"{At}.body")}"),
            ("x-slack-signature", "v0=" + Hmac($"v0:{At}:body")), ("x-slack-request-timestamp", Text(At)),
        ];
        Assert.False(IsGood(SignatureScheme.GitHub, all));
        Assert.True(IsGood(SignatureScheme.Slack, all));
        Assert.False(IsGood(SignatureScheme.Stripe, [.. all.Where(header => header.Item1 != "stripe-signature")]));
    }

    [Fact]
    public void A_wrong_signature_of_ours_is_not_saved_by_a_right_one_without_time() => Assert.False(IsGood(
        SignatureScheme.OpenWop,
        ("x-openwop-signature", "sha256=" + Hmac($"{At}.other")), ("x-openwop-timestamp", Text(At)), ("x-hub-signature-256", "sha256=" + Hmac("body"))));

    [Theory]
    [InlineData(0, true)]
    [InlineData(300, true)]
    [InlineData(-300, true)]
    [InlineData(301, false)]
    [InlineData(-301, false)]
    public void A_signature_is_good_for_five_minutes_either_way(int seconds, bool isGood) => Assert.Equal(
        isGood,
        SignatureCheck.IsGood(
            SignatureScheme.OpenWop,
            Headers(("x-openwop-signature", SignatureV1.Sign(Secret, At, "body"u8)), ("x-openwop-timestamp", Text(At))),
            "body"u8, [Secret], DateTimeOffset.FromUnixTimeSeconds(At + seconds)));

    [Theory]
    [InlineData("")]
    [InlineData(" 1531420618")]
    [InlineData("1531420618.0")]
    [InlineData("+1531420618")]
    [InlineData("-1")]
    [InlineData("99999999999999999999")]
    [InlineData("9223372036854775807")]
    [InlineData("１５３１４２０６１８")]
    public void A_time_that_is_none_is_never_recent(string time) => Assert.False(IsGood(
        SignatureScheme.OpenWop, ("x-openwop-signature", "sha256=" + Hmac($"{time}.body")), ("x-openwop-timestamp", time)));

    [Fact]
    public void Any_secret_that_is_good_will_do()
    {
        var headers = Headers(("x-openwop-signature", SignatureV1.Sign(Secret, At, "body"u8)), ("x-openwop-timestamp", Text(At)));
        var now = DateTimeOffset.FromUnixTimeSeconds(At);
        Assert.True(SignatureCheck.IsGood(SignatureScheme.OpenWop, headers, "body"u8, ["new", Secret], now));
        Assert.False(SignatureCheck.IsGood(SignatureScheme.OpenWop, headers, "body"u8, ["new"], now));
        Assert.False(SignatureCheck.IsGood(SignatureScheme.OpenWop, headers, "body"u8, [], now));
    }

    [Fact]
    public void No_other_text_than_the_signature_is_good()
    {
        var right = Hmac($"{At}.body");
        Gen.String[Gen.Char["0123456789abcdefgABCDEF="], 0, 70].Sample(text => IsGood(
            SignatureScheme.OpenWop, ("x-openwop-signature", "sha256=" + text), ("x-openwop-timestamp", Text(At))) == text.Equals(right, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsGood(SignatureScheme scheme, params (string, string)[] headers) =>
        SignatureCheck.IsGood(scheme, Headers(headers), "body"u8, [Secret], DateTimeOffset.FromUnixTimeSeconds(At));

    private static Dictionary<string, string> Headers(params (string Name, string Value)[] headers) =>
        headers.ToDictionary(header => header.Name, header => header.Value, StringComparer.Ordinal);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Hmac(string text) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(text)));
}
