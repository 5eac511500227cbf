using Google.Protobuf;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Identity.Organizations;
using OpenWop.Micro.Identity.Sessions;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;

namespace OpenWop.Micro.Identity.Api;

/// <summary>The face of organizations: who may ask, what for, and the answer as a message.</summary>
internal sealed class OrganizationsGrpcService(
    OrganizationStore store, Admissions admissions, Membership membership, SessionStore sessions, AuditTrail audit, KeyChanges keys, TimeProvider time)
    : Contracts.Identity.V1.Organizations.OrganizationsBase
{
    private const int DefaultPage = 100;
    private const int MaxPage = 200;

    public override Task<Admission> Bootstrap(FoundRequest request, ServerCallContext context) =>
        admissions.BootstrapAsync(request, Service(context), context.CancellationToken);

    public override Task<Admission> SignUp(FoundRequest request, ServerCallContext context) =>
        admissions.SignUpAsync(request, Service(context), context.CancellationToken);

    public override Task<Admission> AcceptInvitation(AcceptInvitationRequest request, ServerCallContext context) =>
        admissions.AcceptAsync(request, Service(context), context.CancellationToken);

    public override Task<Self> GetSelf(GetSelfRequest request, ServerCallContext context)
    {
        var caller = User(context);
        return store.ReadAsync(
            async session =>
            {
                var self = new Self { Organization = await OrganizationStore.ReadOrganizationAsync(session, caller.Tenant) };
                self.Member = (await OrganizationStore.FindMemberAsync(session, caller.Tenant, caller.IsTest, caller.Principal))?.ToMessage();
                return self;
            },
            context.CancellationToken);
    }

    public override Task<Organization> RenameOrganization(RenameOrganizationRequest request, ServerCallContext context) =>
        membership.RenameAsync(request.Name, Manager(context), context.CancellationToken);

    public override async Task<ListMembersReply> ListMembers(ListMembersRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        var limit = PageSize(request.Limit);
        var page = await store.ReadAsync(
            session => OrganizationStore.ListMembersAsync(session, caller.Tenant, caller.IsTest, request.After, limit), context.CancellationToken);
        return new ListMembersReply { Members = { page.Select(member => member.ToMessage()) } };
    }

    public override async Task<Member> ChangeMember(ChangeMemberRequest request, ServerCallContext context) =>
        (await membership.ChangeAsync(request, Manager(context), context.CancellationToken)).ToMessage();

    public override async Task<Member> RemoveMember(RemoveMemberRequest request, ServerCallContext context) =>
        (await membership.RemoveAsync(request.MemberId, Manager(context), context.CancellationToken)).ToMessage();

    public override async Task<Invitation> Invite(InviteRequest request, ServerCallContext context) =>
        (await membership.InviteAsync(request, Manager(context), context.CancellationToken)).ToMessage();

    public override async Task<ListInvitationsReply> ListInvitations(ListInvitationsRequest request, ServerCallContext context)
    {
        var caller = Manager(context);
        var limit = PageSize(request.Limit);
        var page = await store.ReadAsync(
            session => OrganizationStore.ListInvitationsAsync(session, caller.Tenant, caller.IsTest, request.After, limit, Now()), context.CancellationToken);
        return new ListInvitationsReply { Invitations = { page.Select(invitation => invitation.ToMessage()) } };
    }

    public override async Task<Invitation> WithdrawInvitation(WithdrawInvitationRequest request, ServerCallContext context) =>
        (await membership.WithdrawAsync(request.InvitationId, Manager(context), context.CancellationToken)).ToMessage();

    public override async Task<ConsoleSession> OpenSession(OpenSessionRequest request, ServerCallContext context)
    {
        var caller = User(context);
        var hash = OrganizationRules.CheckHash(request.SessionHash, "sessionHash");
        var now = Now();
        var expiresAt = await sessions.OpenAsync(hash, caller.KeyId, now, context.CancellationToken);

        // Whoever asked about the session before it existed has cached that.
        keys.Publish(caller.KeyId);
        return new ConsoleSession { CreatedAt = now, ExpiresAt = expiresAt };
    }

    public override async Task<CloseSessionReply> CloseSession(CloseSessionRequest request, ServerCallContext context)
    {
        Service(context);
        if (await sessions.CloseAsync(OrganizationRules.CheckHash(request.SessionHash, "sessionHash"), context.CancellationToken) is { } keyId)
            keys.Publish(keyId);
        return new CloseSessionReply();
    }

    public override async Task<ListAuditReply> ListAudit(ListAuditRequest request, ServerCallContext context)
    {
        var caller = WithScope(context, Scopes.AuditRead);
        var entries = await audit.ListAsync(caller.Tenant, request.After, PageSize(request.Limit), context.CancellationToken);
        return new ListAuditReply
        {
            Entries = { entries.Select(entry => new AuditEntry { Sequence = entry.Sequence, Entry = UnsafeByteOperations.UnsafeWrap(entry.Entry) }) },
        };
    }

    private static Caller Service(ServerCallContext context) => context.GetCaller() is { IsService: true } caller
        ? caller
        : throw new ProtocolException(new(ErrorCodes.Forbidden, "Only services let people in and out."));

    private static Caller User(ServerCallContext context) => context.GetCaller() is { IsService: false } caller
        ? caller
        : throw new ProtocolException(new(ErrorCodes.Forbidden, "Services belong to no organization."));

    private static Caller Manager(ServerCallContext context) => WithScope(context, Scopes.MembersManage);

    private static Caller WithScope(ServerCallContext context, string scope) => User(context) is var caller && caller.HasScope(scope)
        ? caller
        : throw new ProtocolException(new ProtocolError(ErrorCodes.Forbidden, "The key lacks a scope.", new() { ["scopeRequired"] = scope }));

    private static int PageSize(int limit) => limit switch
    {
        0 => DefaultPage,
        > 0 and <= MaxPage => limit,
        _ => throw new ProtocolException(ProtocolError.Validation($"'limit' must be from 1 to {MaxPage}.", "limit")),
    };

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
