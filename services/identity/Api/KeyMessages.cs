using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Keys;

namespace OpenWop.Micro.Identity.Api;

/// <summary>Keys as messages: everything about a key but the key.</summary>
internal static class KeyMessages
{
    public static ApiKey From(ApiKeyRecord key, long now) => new()
    {
        KeyId = key.KeyId,
        Tenant = key.Tenant,
        Name = key.Name,
        Principal = key.Principal,
        Scopes = { key.EffectiveScopes },
        IsTest = key.IsTest,
        CreatedAt = key.CreatedAt,
        ExpiresAt = key.ExpiresAt ?? 0,
        RevokedAt = key.RevokedAt ?? 0,
        LastUsedAt = key.LastUsedAt ?? 0,
        Status = key.StatusAt(now),
    };
}
