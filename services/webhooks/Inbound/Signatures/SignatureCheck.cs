using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.Webhooks.Inbound.Signatures;

/// <summary>
/// Whether a delivery was signed with one of a webhook's secrets, and not long ago. Says yes or no and nothing else: why not is nobody's
/// business.
/// </summary>
/// <remarks>
/// Every secret that is good is tried, and the comparison takes as long for a signature that is nearly right as for one that is not.
/// </remarks>
internal static class SignatureCheck
{
    /// <summary>How far a signature's time may be from now, either way.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(300);

    /// <summary>Signatures that are looked at of a header that may hold several.</summary>
    private const int MaxCandidates = 8;

    private const int HexLength = SHA256.HashSizeInBytes * 2;

    /// <param name="headers">With lowercase names.</param>
    /// <param name="body">The bytes as they were sent.</param>
    /// <param name="secrets">The secrets that are good now.</param>
    public static bool IsGood(
        SignatureScheme scheme, IReadOnlyDictionary<string, string> headers, ReadOnlySpan<byte> body, IEnumerable<string> secrets, DateTimeOffset now) =>
        Read(scheme, headers) is { } signed && IsRecent(signed.Time, now) && Matches(signed, body, secrets);

    private static bool Matches(Signed signed, ReadOnlySpan<byte> body, IEnumerable<string> secrets)
    {
        var matches = false;
        Span<byte> candidate = stackalloc byte[SHA256.HashSizeInBytes];
        foreach (var secret in secrets)
        {
            var expected = Hash(secret, signed.Prefix, body);
            foreach (var hex in signed.Candidates)
            {
                // Not short-circuited: every comparison is made.
                matches |= TryRead(hex, candidate) & CryptographicOperations.FixedTimeEquals(expected, candidate);
            }
        }

        return matches;
    }

    private static byte[] Hash(string secret, string prefix, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        hmac.AppendData(Encoding.ASCII.GetBytes(prefix));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }

    private static bool TryRead(string hex, Span<byte> output)
    {
        output.Clear();
        return hex.Length == HexLength && Convert.FromHexString(hex, output, out _, out _) == System.Buffers.OperationStatus.Done;
    }

    private static bool IsRecent(long? time, DateTimeOffset now)
    {
        if (time is not { } seconds)
            return true;

        var distance = now.ToUnixTimeSeconds() - seconds;
        return distance <= (long)Window.TotalSeconds && distance >= -(long)Window.TotalSeconds;
    }

    private static Signed? Read(SignatureScheme scheme, IReadOnlyDictionary<string, string> headers) => scheme switch
    {
        SignatureScheme.OpenWop => ReadOpenWop(headers) ?? (headers.ContainsKey("x-openwop-signature") ? null : ReadGitHub(headers)),
        SignatureScheme.GitHub => ReadGitHub(headers),
        SignatureScheme.Stripe => ReadStripe(headers),
        _ => ReadSlack(headers),
    };

    /// <summary>Time, a dot, body.</summary>
    private static Signed? ReadOpenWop(IReadOnlyDictionary<string, string> headers) =>
        After(headers, "x-openwop-signature", "sha256=") is { } hex && Time(headers.GetValueOrDefault("x-openwop-timestamp")) is { } time
            ? new Signed(time, $"{headers["x-openwop-timestamp"]}.", [hex])
            : null;

    private static Signed? ReadGitHub(IReadOnlyDictionary<string, string> headers) =>
        After(headers, "x-hub-signature-256", "sha256=") is { } hex ? new Signed(null, "", [hex]) : null;

    /// <summary>One header with the time and, while the sender's secret is changed, several signatures.</summary>
    private static Signed? ReadStripe(IReadOnlyDictionary<string, string> headers)
    {
        if (!headers.TryGetValue("stripe-signature", out var header))
            return null;

        string? time = null;
        var candidates = new List<string>();
        foreach (var part in header.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.StartsWith("t=", StringComparison.Ordinal))
                time ??= part[2..];
            else if (part.StartsWith("v1=", StringComparison.Ordinal) && candidates.Count < MaxCandidates)
                candidates.Add(part[3..]);
        }

        return Time(time) is { } seconds ? new Signed(seconds, $"{time}.", candidates) : null;
    }

    private static Signed? ReadSlack(IReadOnlyDictionary<string, string> headers) =>
        After(headers, "x-slack-signature", "v0=") is { } hex && Time(headers.GetValueOrDefault("x-slack-request-timestamp")) is { } time
            ? new Signed(time, $"v0:{headers["x-slack-request-timestamp"]}:", [hex])
            : null;

    private static string? After(IReadOnlyDictionary<string, string> headers, string name, string prefix) =>
        headers.TryGetValue(name, out var value) && value.StartsWith(prefix, StringComparison.Ordinal) ? value[prefix.Length..] : null;

    /// <summary>Unix seconds in digits; the text itself is what was signed.</summary>
    private static long? Time(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null;

    /// <summary>What a delivery says about its signature.</summary>
    /// <param name="Time">Unix seconds; null = the scheme has none.</param>
    /// <param name="Prefix">What was signed in front of the body.</param>
    /// <param name="Candidates">Signatures in hex, one of which has to be right.</param>
    private sealed record Signed(long? Time, string Prefix, IReadOnlyList<string> Candidates);
}
