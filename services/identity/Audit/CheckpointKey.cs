using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NSec.Cryptography;
using OpenWop.Micro.Protocol.Json;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Configuration;

namespace OpenWop.Micro.Identity.Audit;

/// <summary>
/// The Ed25519 key of audit checkpoints, used for nothing else (spec/http-core.md 5.6). It comes from
/// <c>OPENWOP_AUDIT_KEY</c>; without it from the service secret, if one is configured; else from a file in the data directory that only
/// its owner can read, made at the first start.
/// </summary>
internal sealed class CheckpointKey : IDisposable
{
    /// <summary>Setting: 32 random bytes, base64.</summary>
    public const string Setting = "OPENWOP_AUDIT_KEY";

    private const int SeedSize = 32;
    private const string FileName = "audit-checkpoints.key";

    private readonly Key _key;

    private CheckpointKey(byte[] seed)
    {
        _key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        PublicKey = Convert.ToBase64String(_key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
        CryptographicOperations.ZeroMemory(seed);
    }

    /// <summary>32 bytes, base64.</summary>
    public string PublicKey { get; }

    public static CheckpointKey Load(IConfiguration configuration, ServiceSecret secret)
    {
        if (configuration[Setting] is { Length: > 0 } text)
        {
            var seed = new byte[SeedSize];
            return Convert.TryFromBase64String(text, seed, out var length) && length == SeedSize
                ? new(seed)
                : throw new InvalidOperationException($"{Setting} must be {SeedSize} bytes in base64.");
        }

        return secret.IsGenerated ? new(ReadOrMake(Path.Combine(configuration.DataDirectory(), FileName))) : new(secret.DeriveKey("identity audit checkpoints"));
    }

    /// <summary>What a checkpoint says, in the form that is signed.</summary>
    public static byte[] Message(string checkpoint, long sequence, byte[] merkleRoot) => CanonicalJson.ToUtf8Bytes(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["checkpoint"] = checkpoint,
        ["atSequence"] = sequence,
        ["merkleRoot"] = Convert.ToHexStringLower(merkleRoot),
    }));

    public byte[] Sign(byte[] message) => SignatureAlgorithm.Ed25519.Sign(_key, message);

    public bool Verify(byte[] message, byte[] signature) => SignatureAlgorithm.Ed25519.Verify(_key.PublicKey, message, signature);

    public void Dispose() => _key.Dispose();

    private static byte[] ReadOrMake(string path)
    {
        if (!File.Exists(path))
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            file.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(SeedSize))));
            file.Flush(flushToDisk: true);
        }

        return Convert.FromBase64String(File.ReadAllText(path));
    }
}
