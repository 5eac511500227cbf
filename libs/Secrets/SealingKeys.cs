using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Secrets;

/// <summary>
/// The keys that secrets are sealed with, for one purpose. They come from <c>OPENWOP_SECRETS_KEY</c>; without it from the service secret,
/// if one is configured; else from a file in the data directory that only its owner can read, made at the first start.
/// </summary>
/// <remarks>
/// Rotation: put a new key in front of the setting, start, wait until everything is sealed again (which the service that keeps the
/// secrets does at its start), then take the old key away.
/// </remarks>
public sealed class SealingKeys
{
    /// <summary>Setting: 32 random bytes in base64; several with commas between them, the first of which seals.</summary>
    public const string Setting = "OPENWOP_SECRETS_KEY";

    private const int MaxKeys = 8;

    private readonly SealingKey[] _keys;

    private SealingKeys(IEnumerable<byte[]> masters, string purpose) => _keys = [.. masters.Select(master => new SealingKey(master, purpose))];

    /// <summary>Id of the key that seals.</summary>
    public ReadOnlyMemory<byte> CurrentId => Current.Id;

    /// <summary>Whether there are former keys, with which something may still be sealed.</summary>
    public bool IsRotating => _keys.Length > 1;

    internal SealingKey Current => _keys[0];

    /// <param name="purpose">What is sealed, such as <c>identity secrets</c>; also names the file. Letters and blanks.</param>
    /// <exception cref="InvalidOperationException">The setting holds something else than keys.</exception>
    public static SealingKeys Load(IConfiguration configuration, ServiceSecret secret, string purpose)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(secret);
        ArgumentException.ThrowIfNullOrEmpty(purpose);
        if (configuration[Setting] is { Length: > 0 } text)
        {
            var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return parts.Length is > 0 and <= MaxKeys
                ? new(parts.Select(Parse), purpose)
                : throw new InvalidOperationException($"{Setting} must hold 1 to {MaxKeys} keys.");
        }

        return new([secret.IsGenerated ? ReadOrMake(FileOf(configuration, purpose)) : secret.DeriveKey(purpose)], purpose);
    }

    /// <summary>The key with this id, or null.</summary>
    internal SealingKey? Find(ReadOnlySpan<byte> id)
    {
        foreach (var key in _keys)
        {
            if (id.SequenceEqual(key.Id))
                return key;
        }

        return null;
    }

    private static byte[] Parse(string text)
    {
        var key = new byte[SealingKey.Size];
        return Convert.TryFromBase64String(text, key, out var length) && length == SealingKey.Size
            ? key
            : throw new InvalidOperationException($"{Setting} must hold keys of {SealingKey.Size} bytes in base64.");
    }

    private static string FileOf(IConfiguration configuration, string purpose) =>
        Path.Combine(configuration.DataDirectory(), purpose.Replace(' ', '-') + ".key");

    /// <summary>
    /// The file appears complete or not at all: a process that dies in the middle leaves no half key behind, and of two that start at
    /// once both use the same one.
    /// </summary>
    private static byte[] ReadOrMake(string path)
    {
        if (!File.Exists(path))
        {
            var draft = $"{path}.{Guid.NewGuid():n}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(draft, options))
            {
                file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(SealingKey.Size))));
                file.Flush(flushToDisk: true);
            }

            try
            {
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }

        return Parse(File.ReadAllText(path).Trim());
    }
}
