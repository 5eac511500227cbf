namespace OpenWop.Micro.Client.Organizations;

public sealed record OrganizationInfo(string Id, string Name, DateTimeOffset? CreatedAt);

/// <summary>A person in the organization.</summary>
/// <param name="Role">owner, editor, runner or viewer.</param>
public sealed record Member(string Id, string Name, string Role, DateTimeOffset? CreatedAt);

/// <summary>Who a key stands for.</summary>
public sealed record Identity
{
    public required OrganizationInfo Organization { get; init; }

    /// <summary>Absent for a key that belongs to the organization itself.</summary>
    public Member? Member { get; init; }

    public required string KeyId { get; init; }

    public required string Principal { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary><c>live</c> or <c>test</c>.</summary>
    public required string Mode { get; init; }
}

/// <summary>A new member and its key, which is shown only here.</summary>
public sealed record Admission(OrganizationInfo Organization, Member Member, string KeyId, string Key);

/// <summary>An invitation; <paramref name="Token"/> only in the answer to its creation.</summary>
public sealed record Invitation(string Id, string Role, string? Name, DateTimeOffset ExpiresAt, string? Token);

/// <summary>An API key; the key itself only in the answer to its creation.</summary>
public sealed record ApiKey
{
    public required string Id { get; init; }

    public string? Key { get; init; }

    public string? Name { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public string? Mode { get; init; }

    /// <summary>active, expired or revoked.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }
}
