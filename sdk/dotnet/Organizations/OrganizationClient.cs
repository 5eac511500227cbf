using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Organizations;

/// <summary>
/// The organization of the key, its members, and the ways in. Members and invitations need the scope <c>members:manage</c>, the audit log
/// <c>audit:read</c>. Nobody gives or takes a role whose scopes they do not have: 403.
/// </summary>
public sealed class OrganizationClient
{
    private readonly OpenWopTransport _transport;

    internal OrganizationClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Who the key stands for.</summary>
    public Task<Identity> MeAsync(CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Identity>(new Request(HttpMethod.Get, "/api/me"), cancellationToken);

    /// <summary>Founds an organization with the server's bootstrap token, which works once. Needs no key; never repeated by itself.</summary>
    /// <param name="name">Of the first owner, up to 100 characters.</param>
    /// <param name="organization">Its name, up to 100 characters; null = made from the owner's.</param>
    /// <exception cref="OpenWopException">401: another token is right; 404: the token was used, or there is none.</exception>
    public Task<Admission> BootstrapAsync(string token, string name, string? organization = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Admission>(new Request(HttpMethod.Post, "/api/bootstrap") { Body = Json.Bytes(new { token, name, organization }) }, cancellationToken);

    /// <summary>Becomes a member with an invitation, which works once. Needs no key; never repeated by itself.</summary>
    /// <param name="name">Up to 100 characters; null = the one in the invitation.</param>
    /// <exception cref="OpenWopException">401, 404: the invitation is used, withdrawn, or too old.</exception>
    public Task<Admission> AcceptInvitationAsync(string token, string? name = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Admission>(new Request(HttpMethod.Post, "/api/invitations/accept") { Body = Json.Bytes(new { token, name }) }, cancellationToken);

    /// <summary>All members, page by page.</summary>
    public IAsyncEnumerable<Member> MembersAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Member>("/api/members", cancellationToken);

    /// <summary>Gives a member another role; it counts at once, also for keys and sessions that there are.</summary>
    /// <param name="role">owner, editor, runner or viewer.</param>
    /// <exception cref="OpenWopException">404: there is no such member; 409 <c>last_owner</c>.</exception>
    public Task<Member> ChangeMemberAsync(string memberId, string role, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Member>(Request.Once(HttpMethod.Patch, "/api/members/" + Json.Segment(memberId), Json.Bytes(new { role })), cancellationToken);

    /// <summary>Removes a member with its keys and sessions.</summary>
    /// <exception cref="OpenWopException">404: there is no such member; 409 <c>last_owner</c>.</exception>
    public Task RemoveMemberAsync(string memberId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, "/api/members/" + Json.Segment(memberId)), cancellationToken);

    /// <summary>Makes an invitation. The answer holds its token, once.</summary>
    /// <param name="role">owner, editor, runner or viewer.</param>
    /// <param name="name">Of whom it is for, up to 100 characters.</param>
    /// <param name="validFor">Whole seconds, a minute to 30 days; null = two days.</param>
    public Task<Invitation> InviteAsync(string role, string? name = null, TimeSpan? validFor = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Invitation>(
            new Request(HttpMethod.Post, "/api/invitations") { Body = Json.Bytes(new { role, name, validSeconds = (int?)validFor?.TotalSeconds }) }, cancellationToken);

    /// <summary>Invitations that nobody has used yet, page by page.</summary>
    public IAsyncEnumerable<Invitation> InvitationsAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Invitation>("/api/invitations", cancellationToken);

    /// <summary>Takes an invitation back.</summary>
    public Task WithdrawInvitationAsync(string invitationId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(Request.Once(HttpMethod.Delete, "/api/invitations/" + Json.Segment(invitationId)), cancellationToken);

    /// <summary>The audit log, oldest first, page by page; each entry holds in <c>prevHash</c> the digest of the one before.</summary>
    public IAsyncEnumerable<JsonElement> AuditAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<JsonElement>("/api/audit", cancellationToken);
}
