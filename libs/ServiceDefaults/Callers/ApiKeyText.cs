using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace OpenWop.Micro.ServiceDefaults.Callers;

/// <summary>The text of an API key: what its holder sends, and nobody else stores.</summary>
public static class ApiKeyText
{
    /// <summary>Prefix of keys that work with live data.</summary>
    public const string LivePrefix = "hk_";

    /// <summary>Prefix of keys that work with test data. Begins like <see cref="LivePrefix"/>: ask <see cref="IsTest"/>.</summary>
    public const string TestPrefix = "hk_test_";

    /// <summary>Longer credentials are refused unseen.</summary>
    public const int MaxLength = 512;

    /// <summary>A new key with 256 random bits. Show it once, store <see cref="Hash"/>.</summary>
    public static string Create(bool isTest) =>
        (isTest ? TestPrefix : LivePrefix) + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether the key is one of the test mode. Any other key is live, whatever it looks like.</summary>
    public static bool IsTest(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.StartsWith(TestPrefix, StringComparison.Ordinal);
    }

    /// <summary>Whether the text can be a key at all: 1 to <see cref="MaxLength"/> visible ASCII characters.</summary>
    public static bool IsWellFormed(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Length is > 0 and <= MaxLength && !key.AsSpan().ContainsAnyExceptInRange('!', '~');
    }

    /// <summary>SHA-256 of the key, what identity stores. No slow hash is needed: a random key cannot be guessed from it.</summary>
    public static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
