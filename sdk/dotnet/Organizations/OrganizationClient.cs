using System.Text.Json;
using OpenWop.Micro.Client.Transport;

namespace OpenWop.Micro.Client.Organizations;

/// <summary>The organization of the key, its members, and the ways in.</summary>
public sealed class OrganizationClient
{
    private readonly OpenWopTransport _transport;

    internal OrganizationClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Who the key stands for.</summary>
    public Task<Identity> MeAsync(CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Identity>(new Request(HttpMethod.Get, "/api/me"), cancellationToken);

    /// <summary>Founds an organization with the server's bootstrap token, which works once. Needs no key.</summary>
    public Task<Admission> BootstrapAsync(string token, string name, string? organization = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Admission>(new Request(HttpMethod.Post, "/api/bootstrap") { Body = Json.Bytes(new { token, name, organization }) }, cancellationToken);

    /// <summary>Becomes a member with an invitation. Needs no key.</summary>
    public Task<Admission> AcceptInvitationAsync(string token, string? name = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Admission>(new Request(HttpMethod.Post, "/api/invitations/accept") { Body = Json.Bytes(new { token, name }) }, cancellationToken);

    public IAsyncEnumerable<Member> MembersAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Member>("/api/members", cancellationToken);

    public Task<Member> ChangeMemberAsync(string memberId, string role, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Member>(new Request(HttpMethod.Patch, "/api/members/" + Json.Segment(memberId)) { Body = Json.Bytes(new { role }) }, cancellationToken);

    public Task RemoveMemberAsync(string memberId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, "/api/members/" + Json.Segment(memberId)), cancellationToken);

    public Task<Invitation> InviteAsync(string role, string? name = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<Invitation>(new Request(HttpMethod.Post, "/api/invitations") { Body = Json.Bytes(new { role, name }) }, cancellationToken);

    public IAsyncEnumerable<Invitation> InvitationsAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<Invitation>("/api/invitations", cancellationToken);

    public Task WithdrawInvitationAsync(string invitationId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, "/api/invitations/" + Json.Segment(invitationId)), cancellationToken);

    /// <summary>The audit log, oldest first.</summary>
    public IAsyncEnumerable<JsonElement> AuditAsync(CancellationToken cancellationToken = default) =>
        _transport.AllAsync<JsonElement>("/api/audit", cancellationToken);
}

/// <summary>API keys of the organization.</summary>
public sealed class KeysClient
{
    private readonly OpenWopTransport _transport;

    internal KeysClient(OpenWopTransport transport) => _transport = transport;

    /// <summary>Makes a key; nobody can give scopes that it does not have.</summary>
    public Task<ApiKey> CreateAsync(
        string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt = null, bool isTest = false, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<ApiKey>(
            new Request(HttpMethod.Post, "/api/keys") { Body = Json.Bytes(new { name, scopes, expiresAt, mode = isTest ? "test" : "live" }) }, cancellationToken);

    public IAsyncEnumerable<ApiKey> ListAllAsync(CancellationToken cancellationToken = default) => _transport.AllAsync<ApiKey>("/api/keys", cancellationToken);

    /// <summary>Ends a key at once.</summary>
    public Task RevokeAsync(string keyId, CancellationToken cancellationToken = default) =>
        _transport.SendAndForgetAnswerAsync(new Request(HttpMethod.Delete, "/api/keys/" + Json.Segment(keyId)), cancellationToken);

    /// <summary>Replaces a key; both work until the grace time is over.</summary>
    /// <param name="grace">Null = a day.</param>
    public Task<ApiKey> RotateAsync(string keyId, TimeSpan? grace = null, CancellationToken cancellationToken = default) =>
        _transport.ReadAsync<ApiKey>(
            new Request(HttpMethod.Post, $"/api/keys/{Json.Segment(keyId)}/rotate") { Body = Json.Bytes(new { graceSeconds = grace is { } time ? (int?)time.TotalSeconds : null }) },
            cancellationToken);
}
