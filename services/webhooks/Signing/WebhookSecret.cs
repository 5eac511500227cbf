using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Webhooks.Signing;

/// <summary>The secret of a subscription (spec/webhooks-packs.md 1.4).</summary>
internal static class WebhookSecret
{
    /// <summary>A new secret: 32 random bytes as 64 lowercase hex characters.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>The first 8 hex characters of the SHA-256 of the secret's characters; may be logged, unlike the secret.</summary>
    public static string Fingerprint(string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)))[..8];
    }
}
