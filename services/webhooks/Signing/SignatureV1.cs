using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Webhooks.Signing;

/// <summary>
/// Signature <c>v1</c> of a delivery: <c>sha256=</c> and the lowercase hex HMAC-SHA256 of <c>timestamp.body</c>
/// (spec/webhooks-packs.md 1.6).
/// </summary>
internal static class SignatureV1
{
    /// <summary>Value of the algorithm header.</summary>
    public const string Algorithm = "v1";

    private const string Prefix = "sha256=";

    /// <summary>The signature of exactly the bytes that are sent.</summary>
    /// <param name="secret">The secret as it was returned; its characters are the key, they are not decoded from hex.</param>
    /// <param name="unixSeconds">Time of signing, the value of the timestamp header. Every attempt is signed anew.</param>
    public static string Sign(string secret, long unixSeconds, ReadOnlySpan<byte> body)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(unixSeconds.ToString(CultureInfo.InvariantCulture) + "."));
        hmac.AppendData(body);
        return Prefix + Convert.ToHexStringLower(hmac.GetHashAndReset());
    }
}
