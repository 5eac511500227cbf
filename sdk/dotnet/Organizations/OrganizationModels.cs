namespace OpenWop.Micro.Client.Organizations;

/// <summary>An organization: everything belongs to one.</summary>
/// <param name="Name">For people.</param>
public sealed record OrganizationInfo(string Id, string Name, DateTimeOffset? CreatedAt);

/// <summary>A person in the organization.</summary>
/// <param name="Name">For people.</param>
/// <param name="Role">owner, editor, runner or viewer.</param>
public sealed record Member(string Id, string Name, string Role, DateTimeOffset? CreatedAt);

/// <summary>Who a key stands for.</summary>
public sealed record Identity
{
    /// <summary>The organization of the key.</summary>
    public required OrganizationInfo Organization { get; init; }

    /// <summary>Absent for a key that belongs to the organization itself.</summary>
    public Member? Member { get; init; }

    /// <summary>The id of the key, which is no secret.</summary>
    public required string KeyId { get; init; }

    /// <summary>In whose name things are done: it stays when the key is replaced.</summary>
    public required string Principal { get; init; }

    /// <summary>What the key may do; <c>*</c> = everything.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary><c>live</c> or <c>test</c>.</summary>
    public required string Mode { get; init; }
}

/// <summary>A new member and its key, which is shown only here.</summary>
public sealed record Admission(OrganizationInfo Organization, Member Member, string KeyId, string Key);

/// <summary>An invitation.</summary>
/// <param name="Token">What the invited person comes in with, once; only in the answer to its creation.</param>
public sealed record Invitation(string Id, string Role, string? Name, DateTimeOffset ExpiresAt, string? Token);

/// <summary>An API key.</summary>
public sealed record ApiKey
{
    /// <summary>The id, which is no secret.</summary>
    public required string Id { get; init; }

    /// <summary>The key itself; only in the answers to its creation and to a rotation.</summary>
    public string? Key { get; init; }

    /// <summary>For people.</summary>
    public string? Name { get; init; }

    /// <summary>What it may do.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary><c>live</c> or <c>test</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>active, expired or revoked.</summary>
    public string? Status { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>When it ends by itself; absent = never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When somebody has ended it.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When it was used last, to the minute or so.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}
