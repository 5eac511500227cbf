using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Gateway.Sessions;

/// <summary>The secret of a session of the web console: what the cookie holds.</summary>
internal static class SessionToken
{
    /// <summary>Tells it from an API key: it counts in a cookie only.</summary>
    public const string Prefix = "hs_";

    private const int SecretBytes = 32;
    private const int Length = 3 + 43;

    public static string Create() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    public static bool IsWellFormed(string? token) => token is { Length: Length } && token.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(token.AsSpan(Prefix.Length));

    /// <summary>
    /// What a page has to send along with everything that changes something. It follows from the session's secret, so that nothing
    /// more is stored, but the secret does not follow from it.
    /// </summary>
    public static string CsrfTokenOf(string token) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.ASCII.GetBytes(token), "openwop csrf token"u8));

    public static bool IsCsrfToken(string? given, string token) =>
        given is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.ASCII.GetBytes(CsrfTokenOf(token)));
}
