using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Protocol.Security;

namespace OpenWop.Micro.Identity.Keys;

/// <summary>An API key as it is stored. Times are Unix milliseconds.</summary>
internal sealed record ApiKeyRecord
{
    public required string KeyId { get; init; }

    /// <summary>SHA-256 of the key.</summary>
    public required byte[] Hash { get; init; }

    public required string Tenant { get; init; }

    public required string Name { get; init; }

    public required string Principal { get; init; }

    /// <summary>Ordered, without doubles.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    public required bool IsTest { get; init; }

    public required KeySource Source { get; init; }

    public required long CreatedAt { get; init; }

    public long? ExpiresAt { get; init; }

    /// <summary>May lie in the future: a key that was rotated works until then.</summary>
    public long? RevokedAt { get; init; }

    /// <summary>The key that a rotation has put beside this one; null again when this one is revoked by itself.</summary>
    public string? ReplacedBy { get; init; }

    public long? LastUsedAt { get; init; }

    /// <summary>The member whose personal key it is; null for a key of the organization itself.</summary>
    public string? MemberId { get; init; }

    public Role? MemberRole { get; init; }

    /// <summary>Whether the member has been removed.</summary>
    public bool MemberIsGone { get; init; }

    /// <summary>What the key is worth now: a personal key never more than the role of its member.</summary>
    public IReadOnlyList<string> EffectiveScopes => MemberRole is { } role ? Roles.Restrict(Scopes, role) : Scopes;

    /// <summary>
    /// Revoked before expired: whoever holds a key that was taken away shall hear that, for ever (spec/http-core.md 5.1). A revocation
    /// holds at once, also for an instance whose clock is behind; only the end of a rotation's grace time is a matter of clocks.
    /// </summary>
    public KeyStatus StatusAt(long now) =>
        MemberIsGone || (RevokedAt is { } revokedAt && (ReplacedBy is null || revokedAt <= now)) ? KeyStatus.Revoked
        : ExpiresAt <= now ? KeyStatus.Expired
        : KeyStatus.Active;
}

/// <summary>Where a key came from.</summary>
internal enum KeySource
{
    /// <summary>Made through the API.</summary>
    Api,

    /// <summary>The setting <c>OPENWOP_API_KEY</c>.</summary>
    Bootstrap,

    /// <summary>The file of the setting <c>OPENWOP_KEYS_FILE</c>.</summary>
    File,
}
