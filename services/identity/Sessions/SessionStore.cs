using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Sessions;

/// <summary>
/// Sessions of the web console. A session stands for a key and dies with it; what a browser holds is a random secret of its own, so
/// that the key never has to live there.
/// </summary>
internal sealed class SessionStore([FromKeyedServices("identity")] Database database)
{
    /// <summary>A working day.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    private const int MaxPerKey = 100;

    private const string ByHash =
        $"""
        SELECT {KeyStore.Columns}, s.expires_at
        FROM sessions s JOIN api_keys k ON k.key_id = s.key_id LEFT JOIN members m ON m.member_id = k.member_id
        WHERE s.session_hash = $1
        """;

    /// <summary>The key that a session stands for, which ends with the session at the latest; null = no such session.</summary>
    public async Task<ApiKeyRecord?> FindKeyAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var reader = await session.QueryAsync(ByHash, hash);
        if (!await reader.ReadAsync(cancellationToken))
            return null;

        var key = KeyStore.Read(reader);
        var expiresAt = reader.GetInt64(16);
        return key with { ExpiresAt = Math.Min(key.ExpiresAt ?? long.MaxValue, expiresAt) };
    }

    /// <summary>Opens a session; the same hash twice is one.</summary>
    /// <returns>When it ends.</returns>
    public Task<long> OpenAsync(byte[] hash, string keyId, long now, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            await session.ExecuteAsync("DELETE FROM sessions WHERE key_id = $1 AND expires_at <= $2", keyId, now);
            if (await session.ScalarAsync<long>("SELECT count(*) FROM sessions WHERE key_id = $1", keyId) >= MaxPerKey)
                throw new ProtocolException(new ProtocolError(ErrorCodes.PreconditionFailed, $"A key can have {MaxPerKey} open sessions."));

            var expiresAt = now + (long)Lifetime.TotalMilliseconds;
            await session.ExecuteAsync(
                "INSERT INTO sessions (session_hash, key_id, created_at, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (session_hash) DO NOTHING",
                hash, keyId, now, expiresAt);
            return expiresAt;
        },
        cancellationToken);

    /// <summary>Closes a session.</summary>
    /// <returns>The key that it stood for, or null when there was none.</returns>
    public Task<string?> CloseAsync(byte[] hash, CancellationToken cancellationToken) => database.WriteAsync(
        async session =>
        {
            var keyId = await session.ScalarAsync<string>("SELECT key_id FROM sessions WHERE session_hash = $1", hash);
            await session.ExecuteAsync("DELETE FROM sessions WHERE session_hash = $1", hash);
            return keyId;
        },
        cancellationToken);
}
