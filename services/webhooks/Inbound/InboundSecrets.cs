using System.Security.Cryptography;
using System.Text;
using OpenWop.Micro.Secrets;

namespace OpenWop.Micro.Webhooks.Inbound;

/// <summary>Secrets of inbound webhooks: made, sealed for the database, and opened to check a signature.</summary>
internal sealed class InboundSecrets(SecretSeal seal, SealingKeys keys)
{
    private const string Kind = "inbound webhook";

    /// <summary>32 random bytes in 64 hex characters.</summary>
    public static string Create() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public byte[] Seal(InboundOwner owner, string id, string secret) => seal.Seal(Encoding.UTF8.GetBytes(secret), Kind, owner.Tenant, id);

    /// <summary>The secret that a webhook has now.</summary>
    public string Current(InboundWebhook webhook) => Open(webhook, webhook.Secret);

    /// <summary>The secrets that are good at a time, the newest first.</summary>
    public List<string> GoodAt(InboundWebhook webhook, DateTimeOffset now)
    {
        List<string> good = [Open(webhook, webhook.Secret)];
        if (webhook.PreviousSecret is { } previous && webhook.PreviousUntil > now)
            good.Add(Open(webhook, previous));

        return good;
    }

    /// <summary>Whether there is a key that secrets are to be sealed with instead of another one.</summary>
    public bool IsRotating => keys.IsRotating;

    /// <summary>The webhook's secrets sealed with the current key, or null when they are.</summary>
    /// <exception cref="CryptographicException">The key that one of them is sealed with is gone.</exception>
    public (byte[] Secret, byte[]? Previous)? SealAgain(InboundWebhook webhook)
    {
        if (IsCurrent(webhook.Secret) && (webhook.PreviousSecret is null || IsCurrent(webhook.PreviousSecret)))
            return null;

        return (Again(webhook.Secret), webhook.PreviousSecret is null ? null : Again(webhook.PreviousSecret));

        bool IsCurrent(byte[] secret) => SecretSeal.KeyIdOf(secret).Span.SequenceEqual(keys.CurrentId.Span);

        byte[] Again(byte[] secret) => seal.SealAgain(secret, Kind, webhook.Owner.Tenant, webhook.Id);
    }

    private string Open(InboundWebhook webhook, byte[] secret) => Encoding.UTF8.GetString(seal.Open(secret, Kind, webhook.Owner.Tenant, webhook.Id));
}
