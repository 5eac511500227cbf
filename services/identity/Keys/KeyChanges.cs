using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Events;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>
/// How keys come and go. Every change is committed first and published second, so that whoever forgets a cached answer
/// because of the message reads the new state.
/// </summary>
internal sealed partial class KeyChanges(KeyStore store, IEventBus bus, TimeProvider time, ILogger<KeyChanges> logger)
{
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromDays(1);
    private static readonly TimeSpan MaxGrace = TimeSpan.FromDays(30);

    /// <summary>A public identifier with 120 random bits.</summary>
    public static string NewKeyId() => "key-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(15));

    /// <summary>The key that the request describes; made now, or by an earlier call with the same hash.</summary>
    public async Task<ApiKeyRecord> CreateAsync(CreateKeyRequest request, string tenant, Caller by, CancellationToken cancellationToken)
    {
        var now = Now();
        var wanted = Check(request, tenant, by, now);
        var (key, isNew) = await store.WriteAsync(
            async session =>
            {
                if (await KeyStore.FindByHashAsync(session, wanted.Hash) is { } known)
                    return (Repeated(known, wanted), false);

                // In this order everywhere: the organization first, its keys second.
                await AuditTrail.LockAsync(session, tenant);
                if (await KeyStore.CountActiveAsync(session, tenant, now) >= KeyRules.MaxActiveKeysPerTenant)
                    throw Refuse(ErrorCodes.PreconditionFailed, $"A tenant can have {KeyRules.MaxActiveKeysPerTenant} active keys.");

                if (await KeyStore.InsertAsync(session, wanted))
                {
                    var detail = new JsonObject { ["name"] = wanted.Name, ["scopes"] = new JsonArray([.. wanted.Scopes.Select(scope => (JsonNode)scope)]) };
                    await AuditTrail.AppendAsync(session, tenant, now, new AuditRecord(by, "key.created", wanted.KeyId, detail));
                    return (wanted, true);
                }

                // Another instance was quicker.
                return (Repeated((await KeyStore.FindByHashAsync(session, wanted.Hash))!, wanted), false);
            },
            cancellationToken);
        if (isNew)
        {
            Log.Created(logger, key.KeyId, key.Tenant, NameOf(by));
            Publish(key.KeyId);
        }

        return key;
    }

    /// <summary>Ends a key at once.</summary>
    public async Task<ApiKeyRecord> RevokeAsync(string tenant, string keyId, Caller by, CancellationToken cancellationToken)
    {
        var now = Now();
        var (key, changed) = await store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, tenant);
                var known = await KeyStore.FindAsync(session, tenant, ModeOf(by), keyId) ?? throw NotFound;
                if (!await KeyStore.RevokeAsync(session, keyId, now))
                    return (known, false);

                await AuditTrail.AppendAsync(session, tenant, now, new AuditRecord(by, "key.revoked", keyId));
                return (known with { RevokedAt = now, ReplacedBy = null }, true);
            },
            cancellationToken);
        if (changed)
        {
            Log.Revoked(logger, keyId, tenant, NameOf(by));
            Publish(keyId);
        }

        return key;
    }

    /// <summary>Replaces a key; the old one works on for the grace time.</summary>
    public async Task<(ApiKeyRecord Key, ApiKeyRecord Replaced)> RotateAsync(
        RotateKeyRequest request, string tenant, Caller by, CancellationToken cancellationToken)
    {
        var hash = CheckHash(request.NewKeyHash.ToByteArray(), "newKeyHash");
        var grace = request.HasGraceSeconds ? TimeSpan.FromSeconds(request.GraceSeconds) : DefaultGrace;
        if (grace < TimeSpan.Zero || grace > MaxGrace)
            throw Invalid("graceSeconds", $"must be from 0 to {MaxGrace.TotalSeconds}");

        var now = Now();
        var (key, replaced, isNew) = await store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, tenant);
                var old = await KeyStore.FindAsync(session, tenant, ModeOf(by), request.KeyId) ?? throw NotFound;
                if (await KeyStore.FindByHashAsync(session, hash) is { } known)
                    return known.KeyId == old.ReplacedBy ? (known, old, false) : throw Invalid("newKeyHash", "belongs to another key");

                // Nobody gains by rotating a key what they could not create.
                CheckScopes(old.EffectiveScopes, by);
                var successor = old with
                {
                    KeyId = NewKeyId(),
                    Hash = hash,
                    Source = KeySource.Api,
                    CreatedAt = now,
                    ExpiresAt = old.ExpiresAt is { } expiresAt ? now + (expiresAt - old.CreatedAt) : null,
                    LastUsedAt = null,
                };
                var revokedAt = now + (long)grace.TotalMilliseconds;
                if (old.StatusAt(now) != KeyStatus.Active || !await KeyStore.ReplaceAsync(session, old.KeyId, successor.KeyId, revokedAt))
                    throw Refuse(ErrorCodes.PreconditionFailed, "Only an active key that is not being replaced yet can be rotated.");

                if (!await KeyStore.InsertAsync(session, successor))
                    throw Invalid("newKeyHash", "belongs to another key");

                await AuditTrail.AppendAsync(
                    session, tenant, now, new AuditRecord(by, "key.rotated", old.KeyId, new JsonObject { ["newKeyId"] = successor.KeyId }));
                return (successor, old with { RevokedAt = revokedAt, ReplacedBy = successor.KeyId }, true);
            },
            cancellationToken);
        if (isNew)
        {
            Log.Rotated(logger, replaced.KeyId, key.KeyId, tenant, NameOf(by));
            Publish(key.KeyId);
            Publish(replaced.KeyId);
        }

        return (key, replaced);
    }

    /// <summary>Tells the caches of the installation.</summary>
    public void Publish(string keyId) => bus.Publish(new BusMessage(KeyVerifier.ChangesTopic, Now(), Encoding.UTF8.GetBytes(keyId)));

    /// <summary>The mode whose keys a caller sees: a user's own, all for a service.</summary>
    public static bool? ModeOf(Caller caller) => caller.IsService ? null : caller.IsTest;

    public static ProtocolException NotFound => new(ProtocolError.NotFound("key"));

    private static ApiKeyRecord Check(CreateKeyRequest request, string tenant, Caller by, long now)
    {
        if (KeyRules.Tenant(tenant) is { } badTenant)
            throw Invalid("tenant", badTenant);
        if (KeyRules.Text(request.Name) is { } badName)
            throw Invalid("name", badName);
        if (KeyRules.Text(request.Principal) is { } badPrincipal)
            throw Invalid("principal", badPrincipal);
        if (KeyRules.Scopes(request.Scopes) is { } badScopes)
            throw Invalid("scopes", badScopes);
        if (request.ExpiresAt != 0 && request.ExpiresAt <= now)
            throw Invalid("expiresAt", "must lie in the future");
        if (!by.IsService && request.Principal.Length > 0)
            throw Invalid("principal", "is chosen by the host");
        if (!by.IsService && by.IsTest && !request.IsTest)
            throw Refuse(ErrorCodes.Forbidden, "A test key can make test keys only.");

        CheckScopes(request.Scopes, by);
        var keyId = NewKeyId();
        return new ApiKeyRecord
        {
            KeyId = keyId,
            Hash = CheckHash(request.KeyHash.ToByteArray(), "keyHash"),
            Tenant = tenant,
            Name = request.Name,
            Principal = request.Principal is { Length: > 0 } principal ? principal : "key:" + keyId,
            Scopes = KeyRules.Normalize(request.Scopes),
            IsTest = request.IsTest,
            Source = KeySource.Api,
            CreatedAt = now,
            ExpiresAt = request.ExpiresAt == 0 ? null : request.ExpiresAt,
        };
    }

    private static void CheckScopes(IEnumerable<string> scopes, Caller by)
    {
        if (!by.IsService && scopes.FirstOrDefault(scope => !by.HasScope(scope)) is { } missing)
        {
            throw new ProtocolException(new ProtocolError(
                ErrorCodes.Forbidden, "A key cannot give scopes that it does not have.", new() { ["scopeRequired"] = missing }));
        }
    }

    private static byte[] CheckHash(byte[] hash, string field) =>
        hash.Length == SHA256.HashSizeInBytes ? hash : throw Invalid(field, "must be the 32 bytes of a SHA-256 hash");

    private static ApiKeyRecord Repeated(ApiKeyRecord known, ApiKeyRecord wanted) =>
        known.Tenant == wanted.Tenant && known.IsTest == wanted.IsTest ? known : throw Invalid("keyHash", "belongs to another key");

    private static ProtocolException Invalid(string field, string problem) => new(ProtocolError.Validation($"'{field}' {problem}.", field));

    private static ProtocolException Refuse(ErrorCode code, string message) => new(new ProtocolError(code, message));

    private static string NameOf(Caller caller) => caller.Service ?? caller.KeyId;

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static partial class Log
    {
        [LoggerMessage(EventId = 3001, Level = LogLevel.Information, Message = "key.created {KeyId} of tenant {Tenant} by {By}")]
        public static partial void Created(ILogger logger, string keyId, string tenant, string by);

        [LoggerMessage(EventId = 3002, Level = LogLevel.Information, Message = "key.revoked {KeyId} of tenant {Tenant} by {By}")]
        public static partial void Revoked(ILogger logger, string keyId, string tenant, string by);

        [LoggerMessage(EventId = 3003, Level = LogLevel.Information, Message = "key.rotated {KeyId} to {NewKeyId} of tenant {Tenant} by {By}")]
        public static partial void Rotated(ILogger logger, string keyId, string newKeyId, string tenant, string by);
    }
}
