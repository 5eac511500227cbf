using Microsoft.Extensions.Time.Testing;
using OpenWop.Micro.Client.Webhooks;

namespace OpenWop.Micro.Client.Tests;

public sealed class WebhookSignatureTests
{
    private const string Secret = "whsec_0123456789";
    private const string Timestamp = "1767225600";

    private static readonly FakeTimeProvider Time = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));

    [Fact]
    public void A_signature_is_the_one_that_other_implementations_make() => Assert.Equal(
        // printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac whsec_0123456789
        "sha256=75ee0ffc27eb208b8ad82d439eab189d15b0b8cdb002731b0aa016b94c290fe0",
        WebhookSignature.Sign(Secret, Timestamp, "{\"a\":1}"u8));

    [Fact]
    public void A_delivery_that_was_signed_now_is_genuine() => Assert.True(Verify(WebhookSignature.Sign(Secret, Timestamp, "body"u8), Timestamp, "v1"));

    [Theory]
    [InlineData(-300, true)]
    [InlineData(300, true)]
    [InlineData(-301, false)]
    [InlineData(301, false)]
    public void A_delivery_is_good_for_five_minutes(int seconds, bool isGenuine)
    {
        var timestamp = (1767225600 + seconds).ToString(System.Globalization.CultureInfo.InvariantCulture);

        Assert.Equal(isGenuine, Verify(WebhookSignature.Sign(Secret, timestamp, "body"u8), timestamp));
    }

    [Fact]
    public void Whatever_is_changed_the_delivery_is_refused()
    {
        var signature = WebhookSignature.Sign(Secret, Timestamp, "body"u8);

        Assert.False(Verify(null, Timestamp));
        Assert.False(Verify(signature, null));
        Assert.False(Verify(signature, Timestamp, "v2"));
        Assert.False(Verify(signature[7..], Timestamp));
        Assert.False(Verify(signature.ToUpperInvariant(), Timestamp));
        Assert.False(Verify(signature + "00", Timestamp));
        Assert.False(Verify(signature, "1767225601"));
        Assert.False(Verify(signature, "+1767225600"));
        Assert.False(Verify(WebhookSignature.Sign("other", Timestamp, "body"u8), Timestamp));
        Assert.False(WebhookSignature.Verify(Secret, signature, Timestamp, "Body"u8, time: Time));
    }

    private static bool Verify(string? signature, string? timestamp, string? algorithm = null) =>
        WebhookSignature.Verify(Secret, signature, timestamp, "body"u8, algorithm, Time);
}
