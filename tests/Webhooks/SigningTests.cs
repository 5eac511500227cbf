using System.Text;
using OpenWop.Micro.Webhooks.Signing;

namespace OpenWop.Micro.Webhooks.Tests;

public sealed class SigningTests
{
    private const string Secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    [Theory]
    [InlineData(1767225600, "{\"runId\":\"run-1\",\"type\":\"run.completed\"}", "sha256=6b649bd13197b830d2b8f85f2de6469d2d23726f23bd14507276560a556f13ab")]
    [InlineData(1767225600, "", "sha256=95f7f2bf0f2e56e30b806b02b5571be37330721a990d4844792635a5e772b369")]
    [InlineData(1767225601, "{\"name\":\"Zo\u00eb\"}", "sha256=57753221f6f7634578cafdfc00e8e15023c0c424b1dc0f1118deb33144c50cfc")]
    public void Signatures_are_those_of_the_documentation(long timestamp, string body, string signature) =>
        Assert.Equal(signature, SignatureV1.Sign(Secret, timestamp, Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void The_fingerprint_is_the_start_of_the_hash_of_the_characters() =>
        Assert.Equal("6c86c6aa", WebhookSecret.Fingerprint(Secret));

    [Fact]
    public void Secrets_are_64_hex_characters_and_differ()
    {
        var secret = WebhookSecret.Create();
        Assert.Matches("^[0-9a-f]{64}$", secret);
        Assert.NotEqual(secret, WebhookSecret.Create());
    }
}
