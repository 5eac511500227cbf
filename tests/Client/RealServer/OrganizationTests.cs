using System.Net;

namespace OpenWop.Micro.Client.Tests.RealServer;

/// <summary>People and keys by the client, at a real server.</summary>
[Collection(WithHost.Name)]
public sealed class OrganizationTests(RunningHost host)
{
    [Fact]
    public async Task From_the_bootstrap_token_to_a_second_member_and_back()
    {
        using var nobody = host.As(null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Assert.ThrowsAsync<OpenWopException>(() => nobody.Organization.BootstrapAsync("guess", "Eve"))).Status);
        var founded = await nobody.Organization.BootstrapAsync(RunningHost.BootstrapToken, "Ada", "Engines");
        using var owner = host.As(founded.Key);
        Assert.Equal(("Engines", "owner", "live"), await WhoAsync(owner));
        Assert.Equal("last_owner", (await Assert.ThrowsAsync<OpenWopException>(() => owner.Organization.RemoveMemberAsync(founded.Member.Id))).Code);

        var withdrawn = await owner.Organization.InviteAsync("viewer", validFor: TimeSpan.FromHours(1));
        var invitation = await owner.Organization.InviteAsync("editor", "Grace");
        await owner.Organization.WithdrawInvitationAsync(withdrawn.Id);
        Assert.Equal(invitation.Id, Assert.Single(await owner.Organization.InvitationsAsync().ToListAsync()).Id);
        var admitted = await nobody.Organization.AcceptInvitationAsync(invitation.Token!);
        await Assert.ThrowsAsync<OpenWopException>(() => nobody.Organization.AcceptInvitationAsync(withdrawn.Token!));
        using var member = host.As(admitted.Key);
        Assert.Equal(("Engines", "editor", "live"), await WhoAsync(member));

        Assert.Equal(HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<OpenWopException>(() => member.Organization.InviteAsync("owner"))).Status);
        Assert.Equal("viewer", (await owner.Organization.ChangeMemberAsync(admitted.Member.Id, "viewer")).Role);
        Assert.Equal(["Ada", "Grace"], (await owner.Organization.MembersAsync().ToListAsync()).Select(one => one.Name).Order());
        await owner.Organization.RemoveMemberAsync(admitted.Member.Id);
        var actions = await owner.Organization.AuditAsync().Select(entry => entry.GetProperty("action").GetString()!).ToListAsync();
        Assert.Subset(actions.ToHashSet(), new HashSet<string> { "organization.created", "invitation.accepted", "member.changed", "member.removed" });
    }

    [Fact]
    public async Task Keys_are_made_replaced_and_ended()
    {
        var made = await host.Client.Keys.CreateAsync("ci", ["runs:read"], DateTimeOffset.UtcNow.AddDays(1));
        using var holder = host.As(made.Key);
        await holder.Runs.ListAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<OpenWopException>(() => holder.Keys.CreateAsync("x", ["runs:read"]))).Status);

        var rotated = await holder.Keys.RotateAsync("current", TimeSpan.FromMinutes(10));
        using var next = host.As(rotated.Key);
        await next.Runs.ListAsync();
        await holder.Runs.ListAsync();
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Assert.ThrowsAsync<OpenWopException>(() => host.Client.Keys.RotateAsync(made.Id))).Status);

        await host.Client.Keys.RevokeAsync(rotated.Id);
        await Testing.Eventually.TrueAsync(async () => await Record.ExceptionAsync(() => next.Runs.ListAsync()) is OpenWopException { Status: HttpStatusCode.Unauthorized });
        var listed = await host.Client.Keys.ListAllAsync().ToDictionaryAsync(key => key.Id, key => key);
        Assert.Equal(("revoked", "ci", null), (listed[rotated.Id].Status, listed[rotated.Id].Name, listed[rotated.Id].Key));
        Assert.NotNull(listed[made.Id].ExpiresAt);
    }

    [Fact]
    public async Task Secrets_are_stored_listed_without_their_values_and_removed()
    {
        var made = await host.Client.Secrets.SetAsync("model.key", "a-very-secret-value", "For tests");
        Assert.Equal((1, "For tests"), (made.Version, made.Description));
        Assert.Equal(2, (await host.Client.Secrets.SetAsync("model.key", "another-secret-value")).Version);
        Assert.Equal(HttpStatusCode.BadRequest, (await Assert.ThrowsAsync<OpenWopException>(() => host.Client.Secrets.SetAsync("short", "x"))).Status);

        Assert.Equal("model.key", Assert.Single(await host.Client.Secrets.ListAllAsync().ToListAsync()).SecretId);
        await host.Client.Secrets.DeleteAsync("model.key");
        Assert.Empty(await host.Client.Secrets.ListAllAsync().ToListAsync());
    }

    private static async Task<(string Organization, string? Role, string Mode)> WhoAsync(OpenWopClient client)
    {
        var me = await client.Organization.MeAsync();
        return (me.Organization.Name, me.Member?.Role, me.Mode);
    }
}
