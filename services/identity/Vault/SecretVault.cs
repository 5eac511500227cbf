using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Secrets;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Vault;

/// <summary>
/// Secrets of organizations. A value comes in, is sealed, and leaves only towards the runs service. Every change locks its organization
/// and is written to the audit log in the same transaction.
/// </summary>
internal sealed partial class SecretVault(SecretStore store, SecretSeal seal, TimeProvider time, ILogger<SecretVault> logger)
{
    /// <summary>Stores a value, or replaces one; the same again changes nothing.</summary>
    public Task<(SecretRecord Secret, bool Created)> PutAsync(
        SecretOwner owner, string secretId, ReadOnlyMemory<byte> value, string description, Caller by, CancellationToken cancellationToken)
    {
        SecretRules.CheckId(secretId);
        SecretRules.CheckValue(value.Span);
        SecretRules.CheckDescription(description);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, owner.Tenant);
                var known = await SecretStore.FindAsync(session, owner, secretId);
                if (known is not null && known.Description == description && Holds(owner, known, value.Span))
                    return (known, false);

                if (known is null && await SecretStore.CountAsync(session, owner) >= SecretRules.MaxSecrets)
                    throw new ProtocolException(new(ErrorCodes.PreconditionFailed, $"An organization can have {SecretRules.MaxSecrets} secrets."));

                var secret = new SecretRecord(
                    secretId, seal.Seal(value.Span, owner.Binding(secretId)), description, (known?.Version ?? 0) + 1, known?.CreatedAt ?? now, now);
                await (known is null ? SecretStore.InsertAsync(session, owner, secret) : SecretStore.UpdateAsync(session, owner, secret));
                var detail = new JsonObject { ["version"] = secret.Version };
                await AuditTrail.AppendAsync(session, owner.Tenant, now, new AuditRecord(by, "secret.stored", secretId, detail));
                return (secret, known is null);
            },
            cancellationToken);
    }

    public Task<List<SecretRecord>> ListAsync(SecretOwner owner, string after, int limit, CancellationToken cancellationToken) =>
        store.ListAsync(owner, after, limit, cancellationToken);

    public Task DeleteAsync(SecretOwner owner, string secretId, Caller by, CancellationToken cancellationToken)
    {
        SecretRules.CheckId(secretId);
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, owner.Tenant);
                if (!await SecretStore.DeleteAsync(session, owner, secretId))
                    throw new ProtocolException(ProtocolError.NotFound("secret"));

                await AuditTrail.AppendAsync(session, owner.Tenant, now, new AuditRecord(by, "secret.deleted", secretId));
                return true;
            },
            cancellationToken);
    }

    /// <summary>The value, or null when there is none that can be opened.</summary>
    public async Task<byte[]?> ResolveAsync(SecretOwner owner, string secretId, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(owner, secretId, cancellationToken) is not { } secret)
            return null;

        try
        {
            return seal.Open(secret.Sealed, owner.Binding(secretId));
        }
        catch (CryptographicException exception)
        {
            Log.Unreadable(logger, exception, secretId, owner.Tenant);
            return null;
        }
    }

    /// <summary>False also for a value that cannot be opened any more: then it is replaced.</summary>
    private bool Holds(SecretOwner owner, SecretRecord secret, ReadOnlySpan<byte> value)
    {
        try
        {
            return CryptographicOperations.FixedTimeEquals(seal.Open(secret.Sealed, owner.Binding(secret.Id)), value);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 3100, Level = LogLevel.Error, Message = "Secret '{SecretId}' of tenant {Tenant} cannot be opened")]
        public static partial void Unreadable(ILogger logger, Exception exception, string secretId, string tenant);
    }
}
