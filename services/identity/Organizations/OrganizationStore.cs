using System.Data.Common;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>Organizations, members and invitations in the database. Methods with a <see cref="WriteSession"/> are parts of the caller's transaction.</summary>
internal sealed class OrganizationStore([FromKeyedServices("identity")] Database database)
{
    private const string MemberColumns = "member_id, tenant, name, role, is_test, created_at, removed_at";

    private const string InvitationColumns =
        "invitation_id, token_hash, tenant, role, name, is_test, created_at, expires_at, accepted_at, withdrawn_at";

    public Task<T> WriteAsync<T>(Func<WriteSession, Task<T>> work, CancellationToken cancellationToken) =>
        database.WriteAsync(work, cancellationToken);

    public async Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var session = await database.OpenReadAsync(cancellationToken);
        return await work(session);
    }

    public static async Task<Organization> ReadOrganizationAsync(Session session, string tenant)
    {
        await using var reader = await session.QueryAsync("SELECT name, created_at FROM tenants WHERE tenant = $1", tenant);
        if (!await reader.ReadAsync(session.CancellationToken))
            throw new InvalidOperationException("A caller belongs to an organization that does not exist.");

        var name = reader.GetString(0);
        return new Organization { Id = tenant, Name = name.Length == 0 ? tenant : name, CreatedAt = reader.GetInt64(1) };
    }

    public static Task InsertOrganizationAsync(WriteSession session, string tenant, string name, long now) =>
        session.ExecuteAsync("INSERT INTO tenants (tenant, name, created_at) VALUES ($1, $2, $3)", tenant, name, now);

    public static Task RenameAsync(WriteSession session, string tenant, string name) =>
        session.ExecuteAsync("UPDATE tenants SET name = $2 WHERE tenant = $1", tenant, name);

    public static Task InsertMemberAsync(WriteSession session, MemberRecord member) => session.ExecuteAsync(
        $"INSERT INTO members ({MemberColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        member.MemberId, member.Tenant, member.Name, Roles.NameOf(member.Role), member.IsTest, member.CreatedAt, member.RemovedAt);

    public static async Task<MemberRecord?> FindMemberAsync(Session session, string tenant, bool isTest, string memberId)
    {
        await using var reader = await session.QueryAsync(
            $"SELECT {MemberColumns} FROM members WHERE member_id = $1 AND tenant = $2 AND is_test = $3", memberId, tenant, isTest);
        return await reader.ReadAsync(session.CancellationToken) ? ReadMember(reader) : null;
    }

    /// <summary>Members after an id, ordered by id, without those that were removed.</summary>
    public static async Task<List<MemberRecord>> ListMembersAsync(Session session, string tenant, bool isTest, string after, int limit)
    {
        await using var reader = await session.QueryAsync(
            $"""
            SELECT {MemberColumns} FROM members
            WHERE tenant = $1 AND is_test = $2 AND member_id > $3 AND removed_at IS NULL ORDER BY member_id LIMIT $4
            """,
            tenant, isTest, after, limit);
        var members = new List<MemberRecord>();
        while (await reader.ReadAsync(session.CancellationToken))
            members.Add(ReadMember(reader));

        return members;
    }

    public static Task<long> CountMembersAsync(Session session, string tenant) =>
        session.ScalarAsync<long>("SELECT count(*) FROM members WHERE tenant = $1 AND removed_at IS NULL", tenant);

    public static Task<long> CountOwnersAsync(Session session, string tenant, bool isTest) => session.ScalarAsync<long>(
        "SELECT count(*) FROM members WHERE tenant = $1 AND is_test = $2 AND role = $3 AND removed_at IS NULL", tenant, isTest, Roles.NameOf(Role.Owner));

    public static Task UpdateMemberAsync(WriteSession session, MemberRecord member) => session.ExecuteAsync(
        "UPDATE members SET name = $2, role = $3, removed_at = $4 WHERE member_id = $1",
        member.MemberId, member.Name, Roles.NameOf(member.Role), member.RemovedAt);

    /// <summary>False when there is one with this hash already.</summary>
    public static async Task<bool> InsertInvitationAsync(WriteSession session, InvitationRecord invitation) => await session.ExecuteAsync(
        $"INSERT INTO invitations ({InvitationColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (token_hash) DO NOTHING",
        invitation.InvitationId, invitation.TokenHash, invitation.Tenant, Roles.NameOf(invitation.Role), invitation.Name, invitation.IsTest,
        invitation.CreatedAt, invitation.ExpiresAt, invitation.AcceptedAt, invitation.WithdrawnAt) == 1;

    public static Task<InvitationRecord?> FindInvitationAsync(Session session, byte[] tokenHash) =>
        FirstInvitationAsync(session.QueryAsync($"SELECT {InvitationColumns} FROM invitations WHERE token_hash = $1", tokenHash), session.CancellationToken);

    public static Task<InvitationRecord?> FindInvitationAsync(Session session, string tenant, bool isTest, string invitationId) =>
        FirstInvitationAsync(
            session.QueryAsync(
                $"SELECT {InvitationColumns} FROM invitations WHERE invitation_id = $1 AND tenant = $2 AND is_test = $3", invitationId, tenant, isTest),
            session.CancellationToken);

    /// <summary>Invitations that can still be accepted, after an id, ordered by id.</summary>
    public static async Task<List<InvitationRecord>> ListInvitationsAsync(Session session, string tenant, bool isTest, string after, int limit, long now)
    {
        await using var reader = await session.QueryAsync(
            $"""
            SELECT {InvitationColumns} FROM invitations
            WHERE tenant = $1 AND is_test = $2 AND invitation_id > $3 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > $4
            ORDER BY invitation_id LIMIT $5
            """,
            tenant, isTest, after, now, limit);
        var invitations = new List<InvitationRecord>();
        while (await reader.ReadAsync(session.CancellationToken))
            invitations.Add(ReadInvitation(reader));

        return invitations;
    }

    public static Task<long> CountInvitationsAsync(Session session, string tenant, long now) => session.ScalarAsync<long>(
        "SELECT count(*) FROM invitations WHERE tenant = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2", tenant, now);

    /// <summary>Uses an invitation up. False when somebody else was first or it is over.</summary>
    public static async Task<bool> AcceptAsync(WriteSession session, string invitationId, long now) => await session.ExecuteAsync(
        """
        UPDATE invitations SET accepted_at = $2
        WHERE invitation_id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > $2
        """,
        invitationId, now) == 1;

    public static async Task<bool> WithdrawAsync(WriteSession session, string invitationId, long now) => await session.ExecuteAsync(
        "UPDATE invitations SET withdrawn_at = $2 WHERE invitation_id = $1 AND accepted_at IS NULL AND withdrawn_at IS NULL", invitationId, now) == 1;

    /// <summary>Uses a bootstrap token up. False when it has been used.</summary>
    public static async Task<bool> SpendAsync(WriteSession session, byte[] tokenHash, long now) => await session.ExecuteAsync(
        "INSERT INTO spent_tokens (token_hash, spent_at) VALUES ($1, $2) ON CONFLICT (token_hash) DO NOTHING", tokenHash, now) == 1;

    public static async Task<bool> IsSpentAsync(Session session, byte[] tokenHash) =>
        await session.ScalarAsync<long>("SELECT count(*) FROM spent_tokens WHERE token_hash = $1", tokenHash) > 0;

    private static async Task<InvitationRecord?> FirstInvitationAsync(Task<DbDataReader> query, CancellationToken cancellationToken)
    {
        await using var reader = await query;
        return await reader.ReadAsync(cancellationToken) ? ReadInvitation(reader) : null;
    }

    private static MemberRecord ReadMember(DbDataReader row) => new()
    {
        MemberId = row.GetString(0),
        Tenant = row.GetString(1),
        Name = row.GetString(2),
        Role = ReadRole(row.GetString(3)),
        IsTest = row.GetBoolean(4),
        CreatedAt = row.GetInt64(5),
        RemovedAt = row.IsDBNull(6) ? null : row.GetInt64(6),
    };

    private static InvitationRecord ReadInvitation(DbDataReader row) => new()
    {
        InvitationId = row.GetString(0),
        TokenHash = row.GetFieldValue<byte[]>(1),
        Tenant = row.GetString(2),
        Role = ReadRole(row.GetString(3)),
        Name = row.GetString(4),
        IsTest = row.GetBoolean(5),
        CreatedAt = row.GetInt64(6),
        ExpiresAt = row.GetInt64(7),
        AcceptedAt = row.IsDBNull(8) ? null : row.GetInt64(8),
        WithdrawnAt = row.IsDBNull(9) ? null : row.GetInt64(9),
    };

    private static Role ReadRole(string name) => Roles.Find(name) ?? throw new InvalidOperationException("The database holds a role of a newer version.");
}
