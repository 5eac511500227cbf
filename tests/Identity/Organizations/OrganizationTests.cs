using System.Security.Cryptography;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.ServiceDefaults.Callers;
using OpenWop.Micro.ServiceDefaults.Errors;
using OpenWop.Micro.Testing;

namespace OpenWop.Micro.Identity.Tests.Organizations;

/// <summary>What organizations promise, whatever database they live in.</summary>
public abstract class OrganizationTests
{
    [Fact]
    public async Task The_bootstrap_token_founds_an_organization_with_an_owner_once()
    {
        await using var host = await StartAsync();

        var (key, admission) = await host.BootstrapAsync();

        Assert.Equal("owner", admission.Member.Role);
        Assert.Equal("Ada's workspace", admission.Organization.Name);
        var verified = await host.Host.VerifyAsync(key);
        Assert.Equal((KeyStatus.Active, admission.Organization.Id, admission.Member.MemberId), (verified.Status, verified.Tenant, verified.Principal));
        Assert.Equal(["*"], verified.Scopes);
        var again = await Assert.ThrowsAsync<RpcException>(() => host.BootstrapAsync());
        Assert.Equal(StatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task Of_several_uses_of_the_bootstrap_token_at_once_one_wins()
    {
        await using var host = await StartAsync();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                await host.BootstrapAsync();
                return StatusCode.OK;
            }
            catch (RpcException exception)
            {
                return exception.StatusCode;
            }
        }));

        Assert.Single(outcomes, StatusCode.OK);
        Assert.Equal(7, outcomes.Count(status => status == StatusCode.NotFound));
    }

    [Fact]
    public async Task A_wrong_bootstrap_token_is_refused_and_leaves_the_right_one_usable()
    {
        await using var host = await StartAsync();

        await host.Service.BootstrapAsync(new FoundRequest
        {
            TokenHash = IdentityHost.HashOf("guess"),
            Name = "Eve",
            KeyHash = IdentityHost.HashOf("hk_eve"),
        }).FailsAsync(StatusCode.Unauthenticated);

        await host.BootstrapAsync();
        Assert.Equal(KeyStatus.Unknown, (await host.Host.VerifyAsync("hk_eve")).Status);
    }

    [Fact]
    public async Task Nobody_signs_up_unless_that_is_allowed()
    {
        await using var closed = await StartAsync();
        var request = new FoundRequest { Name = "Eve", KeyHash = IdentityHost.HashOf("hk_" + Guid.NewGuid()) };
        await closed.Service.SignUpAsync(request).FailsAsync(StatusCode.NotFound);

        await using var open = await StartAsync("--OPENWOP_SIGN_UP=open");
        var (first, second) = (await open.Service.SignUpAsync(request), await open.Service.SignUpAsync(
            new FoundRequest { Name = "Eve", KeyHash = IdentityHost.HashOf("hk_" + Guid.NewGuid()) }));
        Assert.NotEqual(first.Organization.Id, second.Organization.Id);
    }

    [Theory]
    [InlineData("viewer", "runs:read", "runs:create")]
    [InlineData("runner", "runs:create", "workflows:write")]
    [InlineData("editor", "workflows:write", "members:manage")]
    public async Task A_member_has_the_scopes_of_its_role(string role, string held, string missing)
    {
        await using var host = await StartAsync();
        var (ownerKey, founded) = await host.BootstrapAsync();

        var (key, admission) = await host.JoinAsync(ownerKey, role);

        var verified = await host.Host.VerifyAsync(key);
        Assert.Equal(founded.Organization.Id, verified.Tenant);
        Assert.Contains(held, verified.Scopes);
        Assert.DoesNotContain(missing, verified.Scopes);
        Assert.Equal(verified.Scopes, admission.Key.Scopes);
    }

    [Fact]
    public async Task An_invitation_works_once_and_of_several_uses_at_once_one_wins()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var token = Guid.NewGuid().ToString();
        await (await host.AsAsync(ownerKey)).InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf(token), Role = "editor" });

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                await host.AcceptAsync(token);
                return StatusCode.OK;
            }
            catch (RpcException exception)
            {
                return exception.StatusCode;
            }
        }));

        Assert.Single(outcomes, StatusCode.OK);
        Assert.Equal(7, outcomes.Count(status => status == StatusCode.NotFound));
        Assert.Equal(2, (await (await host.AsAsync(ownerKey)).ListMembersAsync(new ListMembersRequest())).Members.Count);
    }

    [Fact]
    public async Task An_invitation_that_expired_or_was_withdrawn_lets_nobody_in()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var owner = await host.AsAsync(ownerKey);
        var withdrawn = await owner.InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf("w" + host.BootstrapToken), Role = "viewer" });
        await owner.InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf("x" + host.BootstrapToken), Role = "viewer", ValidSeconds = 60 });

        await owner.WithdrawInvitationAsync(new WithdrawInvitationRequest { InvitationId = withdrawn.InvitationId });
        host.Host.Time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => host.AcceptAsync("w" + host.BootstrapToken))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => host.AcceptAsync("x" + host.BootstrapToken))).StatusCode);
        Assert.Empty((await owner.ListInvitationsAsync(new ListInvitationsRequest())).Invitations);
    }

    [Fact]
    public async Task Nobody_gives_a_role_with_scopes_that_it_does_not_have()
    {
        await using var host = await StartAsync();
        var (_, founded) = await host.BootstrapAsync();
        var (key, _) = await host.Host.CreateKeyAsync(founded.Organization.Id, ["members:manage", "runs:read", "manifest:read", "artifacts:read"]);
        var manager = await host.AsAsync(key);

        await manager.InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf(Guid.NewGuid().ToString()), Role = "viewer" });
        foreach (var role in new[] { "runner", "editor", "owner" })
        {
            var refused = await manager.InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf(Guid.NewGuid().ToString()), Role = role })
                .FailsAsync(StatusCode.PermissionDenied);
            Assert.NotNull(refused.ToProtocolError().Details?["scopeRequired"]);
        }

        // Nor is one taken away that could not be given back.
        await manager.RemoveMemberAsync(new RemoveMemberRequest { MemberId = founded.Member.MemberId }).FailsAsync(StatusCode.PermissionDenied);
        await manager.ChangeMemberAsync(new ChangeMemberRequest { MemberId = founded.Member.MemberId, Role = "viewer" })
            .FailsAsync(StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task The_last_owner_stays_an_owner()
    {
        await using var host = await StartAsync();
        var (ownerKey, founded) = await host.BootstrapAsync();
        var owner = await host.AsAsync(ownerKey);

        var removal = await owner.RemoveMemberAsync(new RemoveMemberRequest { MemberId = founded.Member.MemberId }).FailsAsync(StatusCode.FailedPrecondition);
        Assert.Equal("last_owner", removal.ToProtocolError().Code.Name);
        await owner.ChangeMemberAsync(new ChangeMemberRequest { MemberId = founded.Member.MemberId, Role = "editor" }).FailsAsync(StatusCode.FailedPrecondition);

        await host.JoinAsync(ownerKey, "owner");
        Assert.Equal("editor", (await owner.ChangeMemberAsync(new ChangeMemberRequest { MemberId = founded.Member.MemberId, Role = "editor" })).Role);
    }

    [Fact]
    public async Task Two_owners_who_remove_each_other_at_once_leave_one()
    {
        await using var host = await StartAsync();
        var (firstKey, first) = await host.BootstrapAsync();
        for (var round = 0; round < 5; round++)
        {
            var (secondKey, second) = await host.JoinAsync(firstKey, "owner");
            var (one, other) = (await host.AsAsync(firstKey), await host.AsAsync(secondKey));

            var outcomes = await Task.WhenAll(
                TryAsync(one.RemoveMemberAsync(new RemoveMemberRequest { MemberId = second.Member.MemberId })),
                TryAsync(other.RemoveMemberAsync(new RemoveMemberRequest { MemberId = first.Member.MemberId })));

            Assert.Single(outcomes, StatusCode.OK);
            if (outcomes[1] == StatusCode.OK)
                (firstKey, first) = (secondKey, second);
        }
    }

    [Fact]
    public async Task A_lesser_role_takes_scopes_from_keys_and_sessions_at_once()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var (key, admission) = await host.JoinAsync(ownerKey, "editor");
        var session = Guid.NewGuid().ToString();
        await (await host.AsAsync(key)).OpenSessionAsync(new OpenSessionRequest { SessionHash = IdentityHost.HashOf(session) });
        Assert.True((await host.Host.Keys.VerifyAsync(session, default)).Caller!.HasScope("workflows:write"));

        await (await host.AsAsync(ownerKey)).ChangeMemberAsync(new ChangeMemberRequest { MemberId = admission.Member.MemberId, Role = "viewer" });

        Assert.DoesNotContain("workflows:write", (await host.Host.VerifyAsync(key)).Scopes);
        Assert.DoesNotContain("workflows:write", (await host.Host.VerifyAsync(session)).Scopes);
        await Eventually.TrueAsync(async () => !(await host.Host.Keys.VerifyAsync(session, default)).Caller!.HasScope("workflows:write"));
    }

    [Fact]
    public async Task A_removed_member_is_out_with_all_its_keys_and_sessions()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var (key, admission) = await host.JoinAsync(ownerKey, "editor");
        var session = Guid.NewGuid().ToString();
        await (await host.AsAsync(key)).OpenSessionAsync(new OpenSessionRequest { SessionHash = IdentityHost.HashOf(session) });
        var next = ApiKeyText.Create(isTest: false);
        await (await host.Host.UserAsync(key)).RotateKeyAsync(new RotateKeyRequest { KeyId = admission.Key.KeyId, NewKeyHash = IdentityHost.HashOf(next) });

        var owner = await host.AsAsync(ownerKey);
        await owner.RemoveMemberAsync(new RemoveMemberRequest { MemberId = admission.Member.MemberId });
        await owner.RemoveMemberAsync(new RemoveMemberRequest { MemberId = admission.Member.MemberId });

        foreach (var credential in new[] { key, session, next })
            Assert.Equal(KeyStatus.Revoked, (await host.Host.VerifyAsync(credential)).Status);
        Assert.Single((await owner.ListMembersAsync(new ListMembersRequest())).Members);
    }

    [Fact]
    public async Task A_session_is_over_when_it_is_closed_when_it_expires_and_when_its_key_is_revoked()
    {
        await using var host = await StartAsync();
        var (key, admission) = await host.BootstrapAsync();
        var owner = await host.AsAsync(key);
        var (closed, expired, orphaned) = ($"a{host.BootstrapToken}", $"b{host.BootstrapToken}", $"c{host.BootstrapToken}");
        foreach (var session in new[] { closed, expired })
            await owner.OpenSessionAsync(new OpenSessionRequest { SessionHash = IdentityHost.HashOf(session) });
        Assert.Equal(KeyStatus.Active, (await host.Host.VerifyAsync(closed)).Status);

        await host.Service.CloseSessionAsync(new CloseSessionRequest { SessionHash = IdentityHost.HashOf(closed) });
        Assert.Equal(KeyStatus.Unknown, (await host.Host.VerifyAsync(closed)).Status);

        host.Host.Time.Advance(TimeSpan.FromHours(12));
        Assert.Equal(KeyStatus.Expired, (await host.Host.VerifyAsync(expired)).Status);

        owner = await host.AsAsync(key);
        await owner.OpenSessionAsync(new OpenSessionRequest { SessionHash = IdentityHost.HashOf(orphaned) });
        await (await host.Host.UserAsync(key)).RevokeKeyAsync(new RevokeKeyRequest { KeyId = admission.Key.KeyId });
        Assert.Equal(KeyStatus.Revoked, (await host.Host.VerifyAsync(orphaned)).Status);
    }

    [Fact]
    public async Task Members_and_invitations_of_another_organization_or_mode_do_not_exist()
    {
        await using var host = await StartAsync("--OPENWOP_SIGN_UP=open");
        var (ownerKey, founded) = await host.BootstrapAsync();
        var invitation = await (await host.AsAsync(ownerKey)).InviteAsync(
            new InviteRequest { TokenHash = IdentityHost.HashOf(Guid.NewGuid().ToString()), Role = "viewer" });
        var strangerKey = ApiKeyText.Create(isTest: false);
        await host.Service.SignUpAsync(new FoundRequest { Name = "Eve", KeyHash = IdentityHost.HashOf(strangerKey) });
        var (testKey, _) = await host.Host.CreateKeyAsync(founded.Organization.Id, ["*"], isTest: true);

        foreach (var key in new[] { strangerKey, testKey })
        {
            var stranger = await host.AsAsync(key);
            await stranger.RemoveMemberAsync(new RemoveMemberRequest { MemberId = founded.Member.MemberId }).FailsAsync(StatusCode.NotFound);
            await stranger.ChangeMemberAsync(new ChangeMemberRequest { MemberId = founded.Member.MemberId, Role = "viewer" }).FailsAsync(StatusCode.NotFound);
            await stranger.WithdrawInvitationAsync(new WithdrawInvitationRequest { InvitationId = invitation.InvitationId }).FailsAsync(StatusCode.NotFound);
            Assert.DoesNotContain(founded.Member, (await stranger.ListMembersAsync(new ListMembersRequest())).Members);
        }
    }

    [Fact]
    public async Task Every_change_is_in_the_audit_log_and_the_log_is_a_chain()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var owner = await host.AsAsync(ownerKey);
        var (_, joined) = await host.JoinAsync(ownerKey, "runner");
        await owner.ChangeMemberAsync(new ChangeMemberRequest { MemberId = joined.Member.MemberId, Role = "viewer" });
        await owner.RemoveMemberAsync(new RemoveMemberRequest { MemberId = joined.Member.MemberId });
        await owner.RenameOrganizationAsync(new RenameOrganizationRequest { Name = "Engines" });
        var user = await host.Host.UserAsync(ownerKey);
        var made = await user.CreateKeyAsync(new CreateKeyRequest { KeyHash = IdentityHost.HashOf(Guid.NewGuid().ToString()), Scopes = { "runs:read" } });
        await user.RevokeKeyAsync(new RevokeKeyRequest { KeyId = made.KeyId });

        var entries = (await owner.ListAuditAsync(new ListAuditRequest())).Entries;
        var parsed = await host.AuditAsync(ownerKey);

        Assert.Equal(
            ["organization.created", "invitation.created", "invitation.accepted", "member.changed", "member.removed", "organization.renamed", "key.created", "key.revoked"],
            parsed.Select(entry => entry.GetProperty("action").GetString()).Where(action => action != "key.used"));
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(number => (long)number), entries.Select(entry => entry.Sequence));
        for (var i = 1; i < entries.Count; i++)
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(entries[i - 1].Entry.Span)), parsed[i].GetProperty("prevHash").GetString());
    }

    [Fact]
    public async Task Changes_at_once_leave_no_gap_in_the_audit_log()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var owner = await host.AsAsync(ownerKey);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => owner.RenameOrganizationAsync(new RenameOrganizationRequest { Name = $"Name {number}" }).ResponseAsync));

        var entries = (await owner.ListAuditAsync(new ListAuditRequest())).Entries;
        Assert.InRange(entries.Count, 21, 22); // the first use of the key may be among them
        Assert.Equal(Enumerable.Range(1, entries.Count).Select(number => (long)number), entries.Select(entry => entry.Sequence));
    }

    [Fact]
    public async Task Managing_members_takes_its_scope()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var (editorKey, _) = await host.JoinAsync(ownerKey, "editor");
        var editor = await host.AsAsync(editorKey);

        await editor.ListMembersAsync(new ListMembersRequest()).FailsAsync(StatusCode.PermissionDenied);
        await editor.InviteAsync(new InviteRequest { TokenHash = IdentityHost.HashOf("t"), Role = "viewer" }).FailsAsync(StatusCode.PermissionDenied);
        await editor.ListAuditAsync(new ListAuditRequest()).FailsAsync(StatusCode.PermissionDenied);
        Assert.Equal("editor", (await editor.GetSelfAsync(new GetSelfRequest())).Member.Role);
    }

    [Fact]
    public async Task Users_cannot_let_people_in_by_themselves()
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();
        var owner = await host.AsAsync(ownerKey);

        await owner.SignUpAsync(new FoundRequest()).FailsAsync(StatusCode.PermissionDenied);
        await owner.AcceptInvitationAsync(new AcceptInvitationRequest()).FailsAsync(StatusCode.PermissionDenied);
        await host.Service.GetSelfAsync(new GetSelfRequest()).FailsAsync(StatusCode.PermissionDenied);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("a\u0000b")]
    public async Task A_name_that_nobody_could_read_is_refused(string name)
    {
        await using var host = await StartAsync();
        var (ownerKey, _) = await host.BootstrapAsync();

        var refused = await (await host.AsAsync(ownerKey)).RenameOrganizationAsync(new RenameOrganizationRequest { Name = name })
            .FailsAsync(StatusCode.InvalidArgument);
        Assert.Equal("name", (string?)refused.ToProtocolError().Details?["field"]);
    }

    private protected abstract Task<OrganizationHost> StartAsync(params string[] settings);

    private static async Task<StatusCode> TryAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }
}

public sealed class SqliteOrganizationTests : OrganizationTests
{
    private protected override Task<OrganizationHost> StartAsync(params string[] settings) => OrganizationHost.StartAsync(settings);
}

public sealed class PostgreSqlOrganizationTests(PostgreSqlOrganizationTests.Server server) : OrganizationTests, IClassFixture<PostgreSqlOrganizationTests.Server>
{
    private protected override Task<OrganizationHost> StartAsync(params string[] settings) =>
        OrganizationHost.StartAsync([$"--OPENWOP_POSTGRES={server.ConnectionString}", .. settings]);

    /// <summary>One server for all tests; each has organizations of its own.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private PostgreSqlServer? _server;

        public string ConnectionString => _server!.ConnectionString;

        public async Task InitializeAsync() => _server = await PostgreSqlServer.StartAsync();

        public async Task DisposeAsync() => await _server!.DisposeAsync();
    }
}
