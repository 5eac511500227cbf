using System.Security.Cryptography;
using System.Text;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Tokens;

/// <summary>
/// Signing keys in the database. Private halves are encrypted (AES-256-GCM) with a key derived from the service secret, so that a copy of the
/// database signs nothing.
/// </summary>
internal sealed class SigningKeyStore([FromKeyedServices("identity")] Database database, ServiceSecret secret)
{
    private const int NonceSize = 12;
    private const int TagSize = 16;

    private readonly byte[] _encryptionKey = secret.DeriveKey("identity signing keys");

    /// <summary>The public keys of all instances as JSON Web Keys.</summary>
    public async Task<List<string>> ListPublicAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var reader = await session.QueryAsync("SELECT public_key FROM signing_keys ORDER BY created_at DESC, kid");
        var keys = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(reader.GetString(0));

        return keys;
    }

    /// <summary>
    /// The newest key that this process can decrypt, made now when there is none that is younger than <paramref name="maxAge"/>. Keys that nobody
    /// has signed with for <paramref name="retention"/> are deleted.
    /// </summary>
    public Task<SigningKey> CurrentAsync(DateTimeOffset now, TimeSpan maxAge, TimeSpan retention, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async session =>
            {
                var current = await NewestAsync(session, now - maxAge);
                if (current is null)
                {
                    current = SigningKey.Create(now);
                    await session.ExecuteAsync(
                        "INSERT INTO signing_keys (kid, public_key, private_key, created_at) VALUES ($1, $2, $3, $4)",
                        current.KeyId, current.ExportPublic(), Encrypt(current.ExportPrivate(), current.KeyId), now.ToUnixTimeMilliseconds());
                }

                // The others are out of use since the current one exists.
                if (current.CreatedAt < now - retention)
                {
                    await session.ExecuteAsync(
                        "DELETE FROM signing_keys WHERE created_at < $1", current.CreatedAt.ToUnixTimeMilliseconds());
                }

                return current;
            },
            cancellationToken);

    private async Task<SigningKey?> NewestAsync(WriteSession session, DateTimeOffset notBefore)
    {
        await using var reader = await session.QueryAsync(
            "SELECT kid, private_key, created_at FROM signing_keys WHERE created_at > $1 ORDER BY created_at DESC, kid", notBefore.ToUnixTimeMilliseconds());
        while (await reader.ReadAsync(session.CancellationToken))
        {
            if (Decrypt(reader.GetFieldValue<byte[]>(1), reader.GetString(0)) is { } pkcs8)
                return SigningKey.Import(pkcs8, DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2)));
        }

        return null;
    }

    private byte[] Encrypt(byte[] pkcs8, string keyId)
    {
        var sealedKey = new byte[NonceSize + TagSize + pkcs8.Length];
        var nonce = sealedKey.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(_encryptionKey, TagSize);
        cipher.Encrypt(nonce, pkcs8, sealedKey.AsSpan(NonceSize + TagSize), sealedKey.AsSpan(NonceSize, TagSize), Encoding.UTF8.GetBytes(keyId));
        return sealedKey;
    }

    /// <summary>Null when the key was encrypted under another service secret: a former one, or one that a process made up for itself.</summary>
    private byte[]? Decrypt(byte[] sealedKey, string keyId)
    {
        if (sealedKey.Length <= NonceSize + TagSize)
            return null;

        var pkcs8 = new byte[sealedKey.Length - NonceSize - TagSize];
        using var cipher = new AesGcm(_encryptionKey, TagSize);
        try
        {
            cipher.Decrypt(
                sealedKey.AsSpan(0, NonceSize), sealedKey.AsSpan(NonceSize + TagSize), sealedKey.AsSpan(NonceSize, TagSize), pkcs8, Encoding.UTF8.GetBytes(keyId));
            return pkcs8;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
