using System.Security.Cryptography;
using System.Text.Json.Nodes;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Identity.Api;
using OpenWop.Micro.Identity.Audit;
using OpenWop.Micro.Identity.Keys;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.Storage;

namespace OpenWop.Micro.Identity.Organizations;

/// <summary>
/// How people come in. Each way ends with a member and a personal key in one transaction: either the token is used up and there is
/// a member, or neither.
/// </summary>
internal sealed class Admissions(OrganizationStore store, KeyChanges keys, AdmissionOptions options, TimeProvider time)
{
    private const int MaxMembers = 1000;

    /// <summary>Founds an organization with the bootstrap token.</summary>
    public async Task<Admission> BootstrapAsync(FoundRequest request, Caller by, CancellationToken cancellationToken)
    {
        var found = Founding.Check(request);
        var token = OrganizationRules.CheckHash(request.TokenHash, "tokenHash");
        var now = Now();
        if (options.BootstrapTokenHash is not { } configured || await store.ReadAsync(session => OrganizationStore.IsSpentAsync(session, configured), cancellationToken))
            throw new ProtocolException(ProtocolError.NotFound("route"));
        if (!CryptographicOperations.FixedTimeEquals(token, configured))
            throw new ProtocolException(new(ErrorCodes.Unauthenticated, "The bootstrap token is wrong."));

        return await FoundAsync(
            found,
            by,
            async session =>
            {
                if (!await OrganizationStore.SpendAsync(session, configured, now))
                    throw new ProtocolException(ProtocolError.NotFound("route"));
            },
            cancellationToken);
    }

    /// <summary>Founds an organization for whoever asks, where that is allowed.</summary>
    public Task<Admission> SignUpAsync(FoundRequest request, Caller by, CancellationToken cancellationToken)
    {
        if (!options.SignUpIsOpen)
            throw new ProtocolException(ProtocolError.NotFound("route"));

        return FoundAsync(Founding.Check(request), by, static _ => Task.CompletedTask, cancellationToken);
    }

    /// <summary>Makes whoever holds an invitation a member.</summary>
    public async Task<Admission> AcceptAsync(AcceptInvitationRequest request, Caller by, CancellationToken cancellationToken)
    {
        var token = OrganizationRules.CheckHash(request.TokenHash, "tokenHash");
        if (request.Name.Length > 0)
            OrganizationRules.CheckName(request.Name, "name");

        var now = Now();
        var admission = await store.WriteAsync(
            async session =>
            {
                var invitation = await OrganizationStore.FindInvitationAsync(session, token) ?? throw NotFound;
                await AuditTrail.LockAsync(session, invitation.Tenant);
                if (!CryptographicOperations.FixedTimeEquals(invitation.TokenHash, token) || !await OrganizationStore.AcceptAsync(session, invitation.InvitationId, now))
                    throw NotFound;
                if (await OrganizationStore.CountMembersAsync(session, invitation.Tenant) >= MaxMembers)
                    throw new ProtocolException(new(ErrorCodes.PreconditionFailed, $"An organization can have {MaxMembers} members."));

                var name = request.Name.Length > 0 ? request.Name : invitation.Name.Length > 0 ? invitation.Name : "member";
                var hash = OrganizationRules.CheckHash(invitation.IsTest ? request.TestKeyHash : request.KeyHash, invitation.IsTest ? "testKeyHash" : "keyHash");
                var member = NewMember(invitation.Tenant, name, invitation.Role, invitation.IsTest, now);
                return await AdmitAsync(session, member, hash, by, "invitation.accepted", new JsonObject { ["invitationId"] = invitation.InvitationId });
            },
            cancellationToken);
        keys.Publish(admission.Key.KeyId);
        return admission;
    }

    private async Task<Admission> FoundAsync(Founding found, Caller by, Func<WriteSession, Task> claim, CancellationToken cancellationToken)
    {
        var now = Now();
        var admission = await store.WriteAsync(
            async session =>
            {
                await claim(session);
                var tenant = OrganizationRules.NewId("org");
                await OrganizationStore.InsertOrganizationAsync(session, tenant, found.Organization, now);
                var owner = NewMember(tenant, found.Name, Role.Owner, found.IsTest, now);
                return await AdmitAsync(session, owner, found.KeyHash, by, "organization.created", new JsonObject { ["name"] = found.Organization });
            },
            cancellationToken);
        keys.Publish(admission.Key.KeyId);
        return admission;
    }

    private static async Task<Admission> AdmitAsync(WriteSession session, MemberRecord member, byte[] keyHash, Caller by, string action, JsonObject detail)
    {
        await OrganizationStore.InsertMemberAsync(session, member);
        var key = new ApiKeyRecord
        {
            KeyId = KeyChanges.NewKeyId(),
            Hash = keyHash,
            Tenant = member.Tenant,
            Name = "personal key",
            Principal = member.MemberId,
            Scopes = [Roles.Everything],
            IsTest = member.IsTest,
            Source = KeySource.Api,
            CreatedAt = member.CreatedAt,
            MemberId = member.MemberId,
            MemberRole = member.Role,
        };
        if (!await KeyStore.InsertAsync(session, key))
            throw new ProtocolException(ProtocolError.Validation("'keyHash' belongs to another key.", "keyHash"));

        detail["role"] = Roles.NameOf(member.Role);
        detail["keyId"] = key.KeyId;
        await AuditTrail.AppendAsync(session, member.Tenant, member.CreatedAt, new AuditRecord(by, action, member.MemberId, detail));
        return new Admission
        {
            Organization = await OrganizationStore.ReadOrganizationAsync(session, member.Tenant),
            Member = member.ToMessage(),
            Key = KeyMessages.From(key, member.CreatedAt),
        };
    }

    private static MemberRecord NewMember(string tenant, string name, Role role, bool isTest, long now) => new()
    {
        MemberId = OrganizationRules.NewId("mem"),
        Tenant = tenant,
        Name = name,
        Role = role,
        IsTest = isTest,
        CreatedAt = now,
    };

    private static ProtocolException NotFound => new(ProtocolError.NotFound("invitation"));

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A request to found an organization, checked.</summary>
    private sealed record Founding(string Name, string Organization, byte[] KeyHash, bool IsTest)
    {
        public static Founding Check(FoundRequest request)
        {
            OrganizationRules.CheckName(request.Name, "name");
            if (request.Organization.Length > 0)
                OrganizationRules.CheckName(request.Organization, "organization");

            var organization = request.Organization.Length > 0 ? request.Organization : OrganizationRules.WorkspaceOf(request.Name);
            return new Founding(request.Name, organization, OrganizationRules.CheckHash(request.KeyHash, "keyHash"), request.IsTest);
        }
    }
}
