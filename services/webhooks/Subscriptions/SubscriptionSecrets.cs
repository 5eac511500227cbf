using System.Security.Cryptography;
using System.Text;
using OpenWop.Micro.Secrets;

namespace OpenWop.Micro.Webhooks.Subscriptions;

/// <summary>Secrets of subscriptions: sealed for the database, opened to sign.</summary>
internal sealed class SubscriptionSecrets(SecretSeal seal, SealingKeys keys)
{
    /// <summary>Whether there is a key that secrets are to be sealed with instead of another one.</summary>
    public bool IsRotating => keys.IsRotating;

    public byte[] Seal(string webhookId, string secret) => seal.Seal(Encoding.UTF8.GetBytes(secret), webhookId);

    /// <exception cref="CryptographicException">The key that it is sealed with is gone.</exception>
    public string Open(string webhookId, byte[] secret) => Encoding.UTF8.GetString(seal.Open(secret, webhookId));

    /// <summary>The subscription's secrets sealed with the current key, or null when they are.</summary>
    /// <exception cref="CryptographicException">The key that one of them is sealed with is gone.</exception>
    public (byte[] Secret, byte[]? Previous)? SealAgain(Subscription subscription)
    {
        if (IsCurrent(subscription.Secret) && (subscription.PreviousSecret is null || IsCurrent(subscription.PreviousSecret)))
            return null;

        return (seal.SealAgain(subscription.Secret, subscription.Id), subscription.PreviousSecret is { } previous ? seal.SealAgain(previous, subscription.Id) : null);

        bool IsCurrent(byte[] secret) => SecretSeal.KeyIdOf(secret).Span.SequenceEqual(keys.CurrentId.Span);
    }
}
