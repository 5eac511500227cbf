using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Protocol.Security;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>A person in an organization. Times are Unix milliseconds.</summary>
internal sealed record MemberRecord
{
    /// <summary>Also the principal of its keys.</summary>
    public required string MemberId { get; init; }

    public required string Tenant { get; init; }

    public required string Name { get; init; }

    public required Role Role { get; init; }

    /// <summary>Members live in one mode, as keys do.</summary>
    public required bool IsTest { get; init; }

    public required long CreatedAt { get; init; }

    public long? RemovedAt { get; init; }

    public Member ToMessage() => new()
    {
        MemberId = MemberId,
        Name = Name,
        Role = Roles.NameOf(Role),
        CreatedAt = CreatedAt,
        RemovedAt = RemovedAt ?? 0,
    };
}

/// <summary>An invitation to become a member. Times are Unix milliseconds.</summary>
internal sealed record InvitationRecord
{
    public required string InvitationId { get; init; }

    /// <summary>SHA-256 of the token.</summary>
    public required byte[] TokenHash { get; init; }

    public required string Tenant { get; init; }

    public required Role Role { get; init; }

    public required string Name { get; init; }

    public required bool IsTest { get; init; }

    public required long CreatedAt { get; init; }

    public required long ExpiresAt { get; init; }

    public long? AcceptedAt { get; init; }

    public long? WithdrawnAt { get; init; }

    public bool IsOpenAt(long now) => AcceptedAt is null && WithdrawnAt is null && now < ExpiresAt;

    public Invitation ToMessage() => new()
    {
        InvitationId = InvitationId,
        Role = Roles.NameOf(Role),
        Name = Name,
        CreatedAt = CreatedAt,
        ExpiresAt = ExpiresAt,
    };
}
