using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Client.Webhooks;

/// <summary>
/// The signature of webhooks, in both directions: what the server sends to subscribers, and what senders put on deliveries to an
/// inbound webhook. <c>sha256=</c> and the lowercase hex of HMAC-SHA256 over <c>timestamp.body</c>.
/// </summary>
public static class WebhookSignature
{
    /// <summary><c>sha256=</c> and lowercase hex.</summary>
    public const string SignatureHeader = "X-openwop-Signature";

    /// <summary>When it was signed, Unix seconds.</summary>
    public const string TimestampHeader = "X-openwop-Timestamp";

    /// <summary><c>v1</c>; its absence means the same.</summary>
    public const string AlgorithmHeader = "X-openwop-Signature-Algorithm";

    /// <summary>After a rotation, for as long as both secrets count: the signature of the secret before.</summary>
    public const string PreviousSignatureHeader = "X-openwop-Signature-Previous";

    /// <summary>The same for every attempt and every repetition of one event: what a receiver has seen, it can leave out.</summary>
    public const string DeliveryIdHeader = "X-openwop-Delivery-Id";

    /// <summary>How far the clocks of sender and receiver may be apart; older deliveries are refused, so that none can be played again for long.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(300);

    private const string Prefix = "sha256=";
    private const string Algorithm = "v1";

    /// <summary>The value of <see cref="SignatureHeader"/>.</summary>
    /// <param name="secret">The secret exactly as it was returned.</param>
    /// <param name="timestamp">The value of <see cref="TimestampHeader"/>, Unix seconds.</param>
    /// <param name="body">The body as it is sent, byte for byte.</param>
    public static string Sign(string secret, string timestamp, ReadOnlySpan<byte> body) => Prefix + Convert.ToHexStringLower(Compute(secret, timestamp, body));

    /// <summary>
    /// Whether a delivery comes from somebody who knows the secret, and comes now. Also good for a receiver that still has the secret from
    /// before a rotation.
    /// </summary>
    /// <param name="secret">The secret exactly as it was returned.</param>
    /// <param name="header">The value of a header by its name; null when it is absent.</param>
    /// <param name="body">The body as it was received, byte for byte, before anything has parsed it.</param>
    /// <param name="time">The clock.</param>
    public static bool Verify(string secret, Func<string, string?> header, ReadOnlySpan<byte> body, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(header);
        var (timestamp, algorithm) = (header(TimestampHeader), header(AlgorithmHeader));
        return Verify(secret, header(SignatureHeader), timestamp, body, algorithm, time)
            || Verify(secret, header(PreviousSignatureHeader), timestamp, body, algorithm, time);
    }

    /// <summary>Whether a delivery comes from somebody who knows the secret, and comes now.</summary>
    /// <param name="secret">The secret exactly as it was returned.</param>
    /// <param name="signature">The value of <see cref="SignatureHeader"/>.</param>
    /// <param name="timestamp">The value of <see cref="TimestampHeader"/>.</param>
    /// <param name="body">The body as it was received, byte for byte, before anything has parsed it.</param>
    /// <param name="algorithm">The value of <see cref="AlgorithmHeader"/>; null when it is absent.</param>
    /// <param name="time">The clock.</param>
    public static bool Verify(string secret, string? signature, string? timestamp, ReadOnlySpan<byte> body, string? algorithm = null, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        if (signature is null || timestamp is null || (algorithm is not null && algorithm != Algorithm) || !signature.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return false;

        var now = (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeSeconds();
        if (seconds > now + (long)Tolerance.TotalSeconds || seconds < now - (long)Tolerance.TotalSeconds)
            return false;

        Span<byte> given = stackalloc byte[SHA256.HashSizeInBytes];
        var hex = signature.AsSpan(Prefix.Length);
        return hex.Length == 2 * SHA256.HashSizeInBytes
            && !hex.ContainsAnyInRange('A', 'F')
            && Convert.FromHexString(hex, given, out _, out _) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(given, Compute(secret, timestamp, body));
    }

    private static byte[] Compute(string secret, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(timestamp + "."));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
