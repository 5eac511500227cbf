using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>
/// How members change. Every change locks its organization first, so that two of them cannot remove the last two owners side by
/// side, is written to the audit log in the same transaction, and is published after the commit so that caches read the new state.
/// </summary>
internal sealed class Membership(OrganizationStore store, KeyChanges keys, TimeProvider time)
{
    private const int MaxOpenInvitations = 200;
    private static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(2);
    private static readonly TimeSpan MinValidity = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxValidity = TimeSpan.FromDays(30);

    public Task<Organization> RenameAsync(string name, Caller by, CancellationToken cancellationToken)
    {
        OrganizationRules.CheckName(name, "name");
        return store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, by.Tenant);
                await OrganizationStore.RenameAsync(session, by.Tenant, name);
                await AuditTrail.AppendAsync(session, by.Tenant, Now(), new AuditRecord(by, "organization.renamed", Detail: new JsonObject { ["name"] = name }));
                return await OrganizationStore.ReadOrganizationAsync(session, by.Tenant);
            },
            cancellationToken);
    }

    public async Task<MemberRecord> ChangeAsync(ChangeMemberRequest request, Caller by, CancellationToken cancellationToken)
    {
        var role = request.HasRole ? OrganizationRules.CheckRole(request.Role) : (Role?)null;
        if (request.HasName)
            OrganizationRules.CheckName(request.Name, "name");

        var (member, changedKeys) = await store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, by.Tenant);
                var known = await FindAsync(session, by, request.MemberId);
                if (known.RemovedAt is not null)
                    throw NotFound;

                var changed = known with { Role = role ?? known.Role, Name = request.HasName ? request.Name : known.Name };
                if (changed == known)
                    return (known, []);

                OrganizationRules.CheckPower(by, known.Role);
                OrganizationRules.CheckPower(by, changed.Role);
                if (changed.Role != Role.Owner)
                    await KeepAnOwnerAsync(session, known);

                await OrganizationStore.UpdateMemberAsync(session, changed);
                var detail = new JsonObject { ["role"] = Roles.NameOf(changed.Role), ["formerRole"] = Roles.NameOf(known.Role) };
                await AuditTrail.AppendAsync(session, by.Tenant, Now(), new AuditRecord(by, "member.changed", known.MemberId, detail));
                return (changed, await KeyStore.ListOfMemberAsync(session, known.MemberId));
            },
            cancellationToken);
        changedKeys.ForEach(keys.Publish);
        return member;
    }

    public async Task<MemberRecord> RemoveAsync(string memberId, Caller by, CancellationToken cancellationToken)
    {
        var now = Now();
        var (member, endedKeys) = await store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, by.Tenant);
                var known = await FindAsync(session, by, memberId);
                if (known.RemovedAt is not null)
                    return (known, []);

                OrganizationRules.CheckPower(by, known.Role);
                await KeepAnOwnerAsync(session, known);
                var removed = known with { RemovedAt = now };
                await OrganizationStore.UpdateMemberAsync(session, removed);
                var ended = await KeyStore.ListOfMemberAsync(session, memberId);
                foreach (var keyId in ended)
                    await KeyStore.RevokeAsync(session, keyId, now);

                await AuditTrail.AppendAsync(session, by.Tenant, now, new AuditRecord(by, "member.removed", memberId));
                return (removed, ended);
            },
            cancellationToken);
        endedKeys.ForEach(keys.Publish);
        return member;
    }

    public Task<InvitationRecord> InviteAsync(InviteRequest request, Caller by, CancellationToken cancellationToken)
    {
        var hash = OrganizationRules.CheckHash(request.TokenHash, "tokenHash");
        var role = OrganizationRules.CheckRole(request.Role);
        if (request.Name.Length > 0)
            OrganizationRules.CheckName(request.Name, "name");

        var validity = request.ValidSeconds == 0 ? DefaultValidity : TimeSpan.FromSeconds(request.ValidSeconds);
        if (validity < MinValidity || validity > MaxValidity)
            throw OrganizationRules.Invalid("validSeconds", $"must be from {MinValidity.TotalSeconds} to {MaxValidity.TotalSeconds}");

        OrganizationRules.CheckPower(by, role);
        var now = Now();
        var invitation = new InvitationRecord
        {
            InvitationId = OrganizationRules.NewId("inv"),
            TokenHash = hash,
            Tenant = by.Tenant,
            Role = role,
            Name = request.Name,
            IsTest = by.IsTest,
            CreatedAt = now,
            ExpiresAt = now + (long)validity.TotalMilliseconds,
        };
        return store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, by.Tenant);
                if (await OrganizationStore.CountInvitationsAsync(session, by.Tenant, now) >= MaxOpenInvitations)
                    throw new ProtocolException(new(ErrorCodes.PreconditionFailed, $"An organization can have {MaxOpenInvitations} open invitations."));

                if (!await OrganizationStore.InsertInvitationAsync(session, invitation))
                {
                    return await OrganizationStore.FindInvitationAsync(session, hash) is { } known && known.Tenant == by.Tenant && known.IsTest == by.IsTest
                        ? known
                        : throw OrganizationRules.Invalid("tokenHash", "belongs to another invitation");
                }

                var detail = new JsonObject { ["role"] = Roles.NameOf(role) };
                await AuditTrail.AppendAsync(session, by.Tenant, now, new AuditRecord(by, "invitation.created", invitation.InvitationId, detail));
                return invitation;
            },
            cancellationToken);
    }

    public Task<InvitationRecord> WithdrawAsync(string invitationId, Caller by, CancellationToken cancellationToken)
    {
        var now = Now();
        return store.WriteAsync(
            async session =>
            {
                await AuditTrail.LockAsync(session, by.Tenant);
                var known = await OrganizationStore.FindInvitationAsync(session, by.Tenant, by.IsTest, invitationId);
                if (known is null || known.AcceptedAt is not null)
                    throw new ProtocolException(ProtocolError.NotFound("invitation"));

                if (await OrganizationStore.WithdrawAsync(session, invitationId, now))
                    await AuditTrail.AppendAsync(session, by.Tenant, now, new AuditRecord(by, "invitation.withdrawn", invitationId));
                return known with { WithdrawnAt = known.WithdrawnAt ?? now };
            },
            cancellationToken);
    }

    private static async Task<MemberRecord> FindAsync(WriteSession session, Caller by, string memberId) =>
        await OrganizationStore.FindMemberAsync(session, by.Tenant, by.IsTest, memberId) ?? throw NotFound;

    /// <summary>Refuses to let the last owner go.</summary>
    private static async Task KeepAnOwnerAsync(WriteSession session, MemberRecord leaving)
    {
        if (leaving.Role == Role.Owner && await OrganizationStore.CountOwnersAsync(session, leaving.Tenant, leaving.IsTest) <= 1)
            throw new ProtocolException(new(ErrorCodes.LastOwner, "An organization keeps at least one owner. Make somebody else an owner first."));
    }

    private static ProtocolException NotFound => new(ProtocolError.NotFound("member"));

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
