using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Grpc.Core;
using OpenWop.Micro.Contracts.Identity.V1;
using OpenWop.Micro.Gateway.Control;
using OpenWop.Micro.Gateway.Routing;
using OpenWop.Micro.Gateway.Runs;
using OpenWop.Micro.Protocol.Errors;
using OpenWop.Micro.Protocol.Security;
using Answer = OpenWop.Micro.Gateway.Routing.Answer;
using OrganizationsClient = OpenWop.Micro.Contracts.Identity.V1.Organizations.OrganizationsClient;

namespace OpenWop.Micro.Gateway.Organizations;

/// <summary>The organization of the caller, its members, invitations and audit log.</summary>
internal sealed class MemberCalls(OrganizationsClient organizations)
{
    private const int MaxName = 100;
    private const int MaxId = 128;

    public async Task<Answer> MeAsync(OperationCall call, CancellationToken cancellationToken) => ControlJson.Ok(await DescribeAsync(call, cancellationToken));

    /// <summary>Who calls, as <c>/api/me</c> and sessions tell it.</summary>
    public async Task<JsonObject> DescribeAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var self = await organizations.GetSelfAsync(new GetSelfRequest(), Options(call, cancellationToken));
        var caller = call.Caller;
        return new JsonObject
        {
            ["organization"] = IdentityJson.Organization(self.Organization),
            ["keyId"] = caller.KeyId,
            ["principal"] = caller.Principal,
            ["scopes"] = IdentityJson.Texts(caller.Scopes.Order(StringComparer.Ordinal)),
            ["mode"] = IdentityJson.Mode(caller.IsTest),
        }.With("member", self.Member is null ? null : IdentityJson.Member(self.Member));
    }

    public static Task<Answer> RolesAsync(OperationCall call, CancellationToken cancellationToken) => Task.FromResult(ControlJson.Page(
        Enum.GetValues<Role>().Select(role => new JsonObject
        {
            ["role"] = Roles.NameOf(role),
            ["scopes"] = IdentityJson.Texts(Roles.ScopesOf(role).Order(StringComparer.Ordinal)),
        }),
        next: null));

    public async Task<Answer> OrganizationsAsync(OperationCall call, CancellationToken cancellationToken) =>
        ControlJson.Page([IdentityJson.Organization((await organizations.GetSelfAsync(new GetSelfRequest(), Options(call, cancellationToken))).Organization)], next: null);

    public async Task<Answer> OrganizationAsync(OperationCall call, CancellationToken cancellationToken)
    {
        RequireOwn(call);
        return ControlJson.Ok(IdentityJson.Organization((await organizations.GetSelfAsync(new GetSelfRequest(), Options(call, cancellationToken))).Organization));
    }

    public async Task<Answer> RenameAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var name = body.Text("name", MaxName, isRequired: true);
        body.ThrowIfInvalid();
        RequireOwn(call);
        return ControlJson.Ok(IdentityJson.Organization(
            await organizations.RenameOrganizationAsync(new RenameOrganizationRequest { Name = name }, Options(call, cancellationToken))));
    }

    public async Task<Answer> ListAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await organizations.ListMembersAsync(new ListMembersRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(reply.Members.Select(IdentityJson.Member), reply.Members.Count < page.Limit ? null : reply.Members[^1].MemberId);
    }

    public async Task<Answer> ChangeAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        var request = new ChangeMemberRequest { MemberId = Id(call, "member") };
        if (body.Choice("role", "owner", "editor", "runner", "viewer") is { } role)
            request.Role = role;
        if (body.Has("name"))
            request.Name = body.Text("name", MaxName, isRequired: true);
        body.ThrowIfInvalid();
        return ControlJson.Ok(IdentityJson.Member(await organizations.ChangeMemberAsync(request, Options(call, cancellationToken))));
    }

    public async Task<Answer> RemoveAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await organizations.RemoveMemberAsync(new RemoveMemberRequest { MemberId = Id(call, "member") }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    public async Task<Answer> InviteAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var body = await ControlBody.ReadAsync(call, cancellationToken);
        if (!body.Has("role"))
            body.Fail("role", "required", "'role' is missing.");
        var role = body.Choice("role", "owner", "editor", "runner", "viewer");
        var name = body.Text("name", MaxName);
        var seconds = body.Integer("validSeconds", min: 60, max: 2_592_000) ?? 0;
        body.ThrowIfInvalid();

        var token = "inv_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var invitation = await organizations.InviteAsync(
            new InviteRequest { TokenHash = AdmissionCalls.HashOf(token), Role = role, Name = name, ValidSeconds = seconds }, Options(call, cancellationToken));
        return ControlJson.Created(IdentityJson.Invitation(invitation).With("token", token)) with { CacheControl = "no-store" };
    }

    public async Task<Answer> InvitationsAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var reply = await organizations.ListInvitationsAsync(new ListInvitationsRequest { After = page.After, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(
            reply.Invitations.Select(IdentityJson.Invitation), reply.Invitations.Count < page.Limit ? null : reply.Invitations[^1].InvitationId);
    }

    public async Task<Answer> WithdrawAsync(OperationCall call, CancellationToken cancellationToken)
    {
        await organizations.WithdrawInvitationAsync(new WithdrawInvitationRequest { InvitationId = Id(call, "invitation") }, Options(call, cancellationToken));
        return ControlJson.NoContent;
    }

    public async Task<Answer> AuditAsync(OperationCall call, CancellationToken cancellationToken)
    {
        var page = ControlPage.From(call);
        var after = 0L;
        if (page.After.Length > 0 && !long.TryParse(page.After, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw new ProtocolException(ProtocolError.Validation("'after' must be the cursor of a page.", "after"));

        var reply = await organizations.ListAuditAsync(new ListAuditRequest { After = after, Limit = page.Limit }, Options(call, cancellationToken));
        return ControlJson.Page(
            reply.Entries.Select(entry => JsonNode.Parse(entry.Entry.Span)!),
            reply.Entries.Count < page.Limit ? null : reply.Entries[^1].Sequence.ToString(CultureInfo.InvariantCulture));
    }

    private static void RequireOwn(OperationCall call)
    {
        if (call.ResourceId != call.Caller.Tenant && call.ResourceId != "current")
            throw new ProtocolException(ProtocolError.NotFound("organization"));
    }

    private static string Id(OperationCall call, string what) =>
        call.ResourceId.Length is > 0 and <= MaxId && !call.ResourceId.Contains('\0', StringComparison.Ordinal)
            ? call.ResourceId
            : throw new ProtocolException(ProtocolError.NotFound(what));

    private static CallOptions Options(OperationCall call, CancellationToken cancellationToken) =>
        call.Caller.CallOptions(OrganizationEndpoints.Service, RunOperations.Patience, cancellationToken);
}
