using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OpenWop.Micro.Runs.Core;
using OpenWop.Micro.Runs.Log;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Runs.Interrupts;

/// <summary>What a token stands for.</summary>
internal sealed record TokenPayload(string RunId, string NodeId, string InterruptId, DateTimeOffset ExpiresAt, string Intent);

/// <summary>
/// Signed tokens that resolve one interrupt without a credential (spec/interrupts-state-storage.md 2.3):
/// <c>base64url(payload) "." base64url(HMAC-SHA256(secret, payload))</c>, the MAC over the payload's bytes.
/// </summary>
internal sealed class InterruptTokens(Database database, TimeProvider clock)
{
    /// <summary>Lifetime of a token, never past the interrupt's own deadline.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private const string FindKeys = "SELECT kid, secret FROM interrupt_keys ORDER BY created_at DESC, kid DESC";
    private const string InsertKey = "INSERT INTO interrupt_keys (kid, secret, created_at) VALUES ($1, $2, $3)";

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private long lookedAt = long.MinValue / 2;
    private ImmutableArray<(string Kid, byte[] Secret)> keys = [];

    /// <summary>Loads the secrets, making the first one of a new database.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        keys = await ReadAsync(cancellationToken);
        if (keys.IsEmpty)
            await RotateAsync(cancellationToken);
    }

    /// <summary>Makes a new secret that signs from now on; tokens signed by older ones stay valid until they expire.</summary>
    public async Task RotateAsync(CancellationToken cancellationToken)
    {
        var kid = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        await database.WriteAsync(
            session => session.ExecuteAsync(InsertKey, kid, RandomNumberGenerator.GetBytes(32), clock.GetUtcNow().ToUnixTimeMilliseconds()), cancellationToken);
        keys = await ReadAsync(cancellationToken);
    }

    /// <summary>A token that resolves the interrupt.</summary>
    public string Mint(string runId, string nodeId, OpenInterrupt interrupt, DateTimeOffset? deadline)
    {
        var expires = clock.GetUtcNow() + Lifetime;
        if (deadline < expires)
            expires = deadline.Value;

        var (kid, secret) = keys[0];
        var payload = JsonValues.Object(writer =>
        {
            writer.WriteString("runId", runId);
            writer.WriteString("nodeId", nodeId);
            writer.WriteString("interruptId", interrupt.Id);
            writer.WriteString("expiresAt", Timestamps.Format(expires));
            writer.WriteString("intent", "resolve");
            writer.WriteString("kid", kid);
        });
        var bytes = Encoding.UTF8.GetBytes(payload.GetRawText());
        return $"{Base64Url.EncodeToString(bytes)}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, bytes))}";
    }

    /// <summary>
    /// What a token says; null unless it is one of ours, byte for byte. Says nothing about expiry or state. A token of a secret that another
    /// instance has made since is found after a look into the table.
    /// </summary>
    public async Task<TokenPayload?> VerifyAsync(string token, CancellationToken cancellationToken)
    {
        if (Verify(token) is { } payload)
            return payload;

        // Forged tokens must not turn into a flood of queries.
        var now = clock.GetTimestamp();
        var last = Interlocked.Read(ref lookedAt);
        if (clock.GetElapsedTime(last, now) < LookInterval || Interlocked.CompareExchange(ref lookedAt, now, last) != last)
            return null;

        keys = await ReadAsync(cancellationToken);
        return Verify(token);
    }

    private TokenPayload? Verify(string token)
    {
        var dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || token.Length > 2048 || !Base64Url.IsValid(token.AsSpan(0, dot)) || !Base64Url.IsValid(token.AsSpan(dot + 1)))
            return null;

        var payload = Base64Url.DecodeFromChars(token.AsSpan(0, dot));
        var mac = Base64Url.DecodeFromChars(token.AsSpan(dot + 1));
        var signed = false;
        foreach (var (_, secret) in keys)
            signed |= CryptographicOperations.FixedTimeEquals(mac, HMACSHA256.HashData(secret, payload));

        if (!signed)
            return null;

        // Signed by us, so it has the shape that Mint gave it.
        var root = JsonElement.Parse(payload);
        return new TokenPayload(
            root.StringMember("runId")!,
            root.StringMember("nodeId")!,
            root.StringMember("interruptId")!,
            Timestamps.Parse(root.StringMember("expiresAt")!),
            root.StringMember("intent")!);
    }

    private async Task<ImmutableArray<(string, byte[])>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        await using var rows = await session.QueryAsync(FindKeys);
        var found = ImmutableArray.CreateBuilder<(string, byte[])>();
        while (await rows.ReadAsync(cancellationToken))
            found.Add((rows.GetString(0), rows.GetFieldValue<byte[]>(1)));

        return found.DrainToImmutable();
    }
}
